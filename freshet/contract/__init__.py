"""The contract between the rooms: topics, record headers, schemas, rejection reasons, and what belongs in gold."""
