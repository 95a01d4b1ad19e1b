CREATE TABLE IF NOT EXISTS {database}.forerun_lock (
    name          VARCHAR(16)  NOT NULL PRIMARY KEY,
    format        INT          NOT NULL,
    token         BIGINT       NOT NULL DEFAULT 0,
    run_id        VARCHAR(64)  NULL,
    actor         VARCHAR(255) NULL,
    host          VARCHAR(255) NULL,
    app_release   VARCHAR(255) NULL,
    purpose       VARCHAR(255) NULL,
    backend       VARCHAR(255) NULL,
    acquired_at   DATETIME(6)  NULL,
    heartbeat_at  DATETIME(6)  NULL,
    expires_at    DATETIME(6)  NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
