CREATE TABLE IF NOT EXISTS {database}.forerun_history (
    version       VARCHAR(255)  NOT NULL PRIMARY KEY,
    description   VARCHAR(1000) NOT NULL,
    script        VARCHAR(1000) NOT NULL,
    kind          VARCHAR(16)   NOT NULL,
    phase         VARCHAR(16)   NOT NULL,
    origin        VARCHAR(16)   NOT NULL,
    checksum      VARCHAR(64)   NOT NULL,
    checksum_raw  VARCHAR(64)   NOT NULL,
    checksum_sql  VARCHAR(64)   NOT NULL,
    statements    BIGINT        NOT NULL,
    started_at    DATETIME(6)   NOT NULL,
    finished_at   DATETIME(6)   NOT NULL,
    duration_ms   BIGINT        NOT NULL,
    run_id        VARCHAR(64)   NOT NULL,
    app_release   VARCHAR(255)  NULL,
    applied_by    VARCHAR(512)  NOT NULL,
    tool_version  VARCHAR(64)   NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
