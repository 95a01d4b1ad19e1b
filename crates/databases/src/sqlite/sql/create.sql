-- Tables of format 2. Times are RFC 3339 in UTC.
CREATE TABLE IF NOT EXISTS main.forerun_lock (
    name         varchar(16)  NOT NULL PRIMARY KEY,
    format       integer      NOT NULL,
    token        bigint       NOT NULL DEFAULT 0,
    run_id       varchar(64),
    actor        varchar(255),
    host         varchar(255),
    app_release  varchar(255),
    purpose      varchar(255),
    backend      varchar(255),
    acquired_at  text,
    heartbeat_at text,
    expires_at   text
);
INSERT OR IGNORE INTO main.forerun_lock (name, format, token) VALUES ('runner', 2, 0);
CREATE TABLE IF NOT EXISTS main.forerun_history (
    version      varchar(255)  NOT NULL PRIMARY KEY,
    description  varchar(1000) NOT NULL,
    script       varchar(1000) NOT NULL,
    kind         varchar(16)   NOT NULL,
    phase        varchar(16)   NOT NULL,
    origin       varchar(16)   NOT NULL,
    checksum     varchar(64)   NOT NULL,
    checksum_raw varchar(64)   NOT NULL,
    checksum_sql varchar(64)   NOT NULL,
    statements   bigint        NOT NULL,
    started_at   text          NOT NULL,
    finished_at  text          NOT NULL,
    duration_ms  bigint        NOT NULL,
    run_id       varchar(64)   NOT NULL,
    app_release  varchar(255),
    applied_by   varchar(512)  NOT NULL,
    tool_version varchar(64)   NOT NULL,
    unused_since varchar(255),
    deployment   bigint
);
CREATE TABLE IF NOT EXISTS main.forerun_deployment (
    id                bigint       NOT NULL PRIMARY KEY,
    app_release       varchar(255) NOT NULL,
    previous_release  varchar(255),
    status            varchar(16)  NOT NULL,
    directory_version varchar(255),
    started_at        text         NOT NULL,
    migrated_at       text,
    completed_at      text,
    run_id            varchar(64)  NOT NULL,
    opened_by         varchar(512) NOT NULL
);
CREATE TABLE IF NOT EXISTS main.forerun_audit (
    id           integer      NOT NULL PRIMARY KEY AUTOINCREMENT,
    at           text         NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    run_id       varchar(64)  NOT NULL,
    event        varchar(64)  NOT NULL,
    version      varchar(255),
    statement    bigint,
    attempt      bigint,
    message      text         NOT NULL,
    detail       text,
    actor        varchar(255) NOT NULL,
    host         varchar(255) NOT NULL,
    app_release  varchar(255),
    tool_version varchar(64)  NOT NULL
);
CREATE TABLE IF NOT EXISTS main.forerun_journal (
    version              varchar(255)  NOT NULL PRIMARY KEY,
    script               varchar(1000) NOT NULL,
    direction            varchar(8)    NOT NULL,
    statements_done      bigint        NOT NULL,
    prefix_checksum      varchar(64)   NOT NULL,
    in_doubt_statement   bigint,
    in_doubt_fingerprint varchar(255),
    in_doubt_answer      boolean,
    started_at           text          NOT NULL,
    run_id               varchar(64)   NOT NULL,
    updated_at           text          NOT NULL
);
