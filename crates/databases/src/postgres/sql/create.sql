CREATE TABLE IF NOT EXISTS {schema}.forerun_lock (
    name         varchar(16) PRIMARY KEY CHECK (name = 'runner'),
    format       integer NOT NULL,
    token        bigint NOT NULL DEFAULT 0,
    run_id       varchar(64),
    actor        varchar(255),
    host         varchar(255),
    app_release  varchar(255),
    purpose      varchar(255),
    backend      varchar(255),
    acquired_at  timestamptz,
    heartbeat_at timestamptz,
    expires_at   timestamptz
);

CREATE TABLE IF NOT EXISTS {schema}.forerun_history (
    version      varchar(255) PRIMARY KEY,
    description  varchar(1000) NOT NULL,
    script       varchar(1000) NOT NULL,
    kind         varchar(16) NOT NULL,
    phase        varchar(16) NOT NULL,
    origin       varchar(16) NOT NULL,
    checksum     varchar(64) NOT NULL,
    checksum_raw varchar(64) NOT NULL,
    checksum_sql varchar(64) NOT NULL,
    statements   bigint NOT NULL,
    started_at   timestamptz NOT NULL,
    finished_at  timestamptz NOT NULL,
    duration_ms  bigint NOT NULL,
    run_id       varchar(64) NOT NULL,
    app_release  varchar(255),
    applied_by   varchar(512) NOT NULL,
    tool_version varchar(64) NOT NULL,
    unused_since varchar(255),
    deployment   bigint
);

-- Of format 1.
ALTER TABLE {schema}.forerun_history
    ADD COLUMN IF NOT EXISTS unused_since varchar(255),
    ADD COLUMN IF NOT EXISTS deployment bigint;

CREATE TABLE IF NOT EXISTS {schema}.forerun_audit (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    run_id       varchar(64) NOT NULL,
    event        varchar(64) NOT NULL,
    version      varchar(255),
    statement    bigint,
    attempt      bigint,
    message      text NOT NULL,
    detail       jsonb NOT NULL,
    actor        varchar(255) NOT NULL,
    host         varchar(255) NOT NULL,
    app_release  varchar(255),
    tool_version varchar(64) NOT NULL
);

CREATE TABLE IF NOT EXISTS {schema}.forerun_journal (
    version              varchar(255) PRIMARY KEY,
    script               varchar(1000) NOT NULL,
    direction            varchar(8) NOT NULL,
    statements_done      bigint NOT NULL,
    prefix_checksum      varchar(64) NOT NULL,
    in_doubt_statement   bigint,
    in_doubt_fingerprint varchar(255),
    in_doubt_answer      boolean,
    started_at           timestamptz NOT NULL,
    run_id               varchar(64) NOT NULL,
    updated_at           timestamptz NOT NULL
);

CREATE TABLE IF NOT EXISTS {schema}.forerun_deployment (
    id                bigint PRIMARY KEY,
    app_release       varchar(255) NOT NULL,
    previous_release  varchar(255),
    status            varchar(16) NOT NULL,
    directory_version varchar(255),
    started_at        timestamptz NOT NULL,
    migrated_at       timestamptz,
    completed_at      timestamptz,
    run_id            varchar(64) NOT NULL,
    opened_by         varchar(512) NOT NULL
);

UPDATE {schema}.forerun_lock SET format = {format} WHERE format < {format};
INSERT INTO {schema}.forerun_lock (name, format) VALUES ('runner', {format}) ON CONFLICT DO NOTHING;
