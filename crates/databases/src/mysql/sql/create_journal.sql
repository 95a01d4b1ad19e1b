CREATE TABLE IF NOT EXISTS {database}.forerun_journal (
    version               VARCHAR(255)  NOT NULL PRIMARY KEY,
    script                VARCHAR(1000) NOT NULL,
    direction             VARCHAR(8)    NOT NULL,
    statements_done       BIGINT        NOT NULL,
    prefix_checksum       VARCHAR(64)   NOT NULL,
    in_doubt_statement    BIGINT        NULL,
    in_doubt_fingerprint  VARCHAR(255)  NULL,
    in_doubt_answer       SMALLINT      NULL,
    started_at            DATETIME(6)   NOT NULL,
    run_id                VARCHAR(64)   NOT NULL,
    updated_at            DATETIME(6)   NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
