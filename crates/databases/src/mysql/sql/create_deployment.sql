CREATE TABLE IF NOT EXISTS {database}.forerun_deployment (
    id                BIGINT       NOT NULL PRIMARY KEY,
    app_release       VARCHAR(255) NOT NULL,
    previous_release  VARCHAR(255) NULL,
    status            VARCHAR(16)  NOT NULL,
    directory_version VARCHAR(255) NULL,
    started_at        DATETIME(6)  NOT NULL,
    migrated_at       DATETIME(6)  NULL,
    completed_at      DATETIME(6)  NULL,
    run_id            VARCHAR(64)  NOT NULL,
    opened_by         VARCHAR(512) NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
