CREATE TABLE IF NOT EXISTS {database}.forerun_audit (
    id            BIGINT       NOT NULL AUTO_INCREMENT PRIMARY KEY,
    `at`          DATETIME(6)  NOT NULL,
    run_id        VARCHAR(64)  NOT NULL,
    event         VARCHAR(64)  NOT NULL,
    version       VARCHAR(255) NULL,
    statement     BIGINT       NULL,
    attempt       BIGINT       NULL,
    message       LONGTEXT     NOT NULL,
    detail        LONGTEXT     NOT NULL,
    actor         VARCHAR(255) NOT NULL,
    host          VARCHAR(255) NOT NULL,
    app_release   VARCHAR(255) NULL,
    tool_version  VARCHAR(64)  NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
