"""Which documents a later edit undid: asked when one is shown, so that no row has to change when it is undone."""

from typing import Final

from psycopg import sql

# An undo names the revision it takes back, a restore the one it goes back to. A rollback takes back what its user did
# last, and no further than to an edit of somebody else.
UNDONE: Final = sql.SQL("""EXISTS (
    SELECT FROM documents r
    WHERE r.wiki = d.wiki AND r.title = d.title AND r.revision_id > d.revision_id AND r.revert_kind IS NOT NULL
      AND (r.reverted_revision_id = d.revision_id
           OR r.restored_revision_id < d.revision_id
           OR r.revert_kind = 'rollback' AND r.reverted_user = d.user_name AND NOT EXISTS (
               SELECT FROM documents o
               WHERE o.wiki = d.wiki AND o.title = d.title AND o.user_name <> d.user_name
                 AND o.revision_id > d.revision_id AND o.revision_id < r.revision_id
           ))
)""")
"""A condition on a document `d`."""
