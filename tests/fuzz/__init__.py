"""Damaged events through everything that reads them: nothing may crash, be lost or be rejected without a reason."""
