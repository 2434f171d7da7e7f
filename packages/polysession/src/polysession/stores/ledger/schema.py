"""The tables for who has no Django. PostgreSQL; the same columns as the Django app's migrations. To be run again with
each release, before it serves: it adds what is missing, and nothing that an earlier release stumbles over.
"""

SCHEMA = """
CREATE TABLE IF NOT EXISTS polysession_ledger (
    session_id varchar(16) PRIMARY KEY,
    partition integer NOT NULL,
    principal varchar(255) NOT NULL,
    principal_key varchar(22) NOT NULL,
    secret_hash bytea NOT NULL,
    pepper_id varchar(1) NOT NULL,
    previous_hash bytea NOT NULL,
    rotation_count integer NOT NULL,
    generation bigint NOT NULL,
    created_at bigint NOT NULL,
    authenticated_at bigint NOT NULL,
    last_seen_at bigint NOT NULL,
    checked_at bigint NOT NULL,
    idle bigint NOT NULL,
    absolute_at bigint NOT NULL,
    changed_at bigint NOT NULL,
    ended_at bigint NULL,
    end_reason varchar(16) NULL,
    confirmed boolean NOT NULL
);
ALTER TABLE polysession_ledger ADD COLUMN IF NOT EXISTS keep boolean NULL;
ALTER TABLE polysession_ledger ADD COLUMN IF NOT EXISTS exchanged_at bigint NULL;
CREATE INDEX IF NOT EXISTS polysession_ledger_principal ON polysession_ledger (principal);
CREATE INDEX IF NOT EXISTS polysession_ledger_changed ON polysession_ledger (changed_at);
CREATE INDEX IF NOT EXISTS polysession_ledger_live ON polysession_ledger (checked_at) WHERE ended_at IS NULL;
CREATE INDEX IF NOT EXISTS polysession_ledger_pending ON polysession_ledger (changed_at) WHERE NOT confirmed;
CREATE TABLE IF NOT EXISTS polysession_lease (
    name varchar(64) PRIMARY KEY,
    holder varchar(64) NOT NULL,
    until bigint NOT NULL
);
"""
