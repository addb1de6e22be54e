-- What a validator knows. Times are milliseconds since 1970-01-01 UTC, days are days since then. A `packed` column is
-- JSON compressed with zstd. Words in braces are what the two databases write differently (store/dialect.rs).

CREATE TABLE ledger (
    name {key} NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- One row a batch of a subnet. `step` counts from 0, fetched, to 6, settled; it only grows, by one at a time.
CREATE TABLE rounds (
    id {key} NOT NULL PRIMARY KEY,
    netuid BIGINT NOT NULL,
    day BIGINT NOT NULL,
    window_days BIGINT NOT NULL,
    step BIGINT NOT NULL CHECK (step BETWEEN 0 AND 6),
    rules TEXT NOT NULL,
    shadow BIGINT NOT NULL CHECK (shadow IN (0, 1)),
    batch TEXT NOT NULL,
    alerts BIGINT NOT NULL,
    opened_ms BIGINT NOT NULL,
    deadline_ms BIGINT,
    commitment TEXT,
    published_ms BIGINT,
    settled_ms BIGINT,
    UNIQUE (netuid, day, window_days)
);

CREATE TABLE tasks (
    round {key} NOT NULL PRIMARY KEY REFERENCES rounds (id),
    packed {blob} NOT NULL
);

-- Decoded bodies of answers by their SHA-256. A swept body keeps its row and loses its content.
CREATE TABLE bodies (
    digest {key} NOT NULL PRIMARY KEY,
    bytes BIGINT NOT NULL,
    stored BIGINT NOT NULL,
    swept_ms BIGINT,
    content {blob}
);

CREATE TABLE answers (
    round {key} NOT NULL REFERENCES rounds (id),
    hotkey {key} NOT NULL,
    body {key} REFERENCES bodies (digest),
    asked_ms BIGINT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (round, hotkey)
);
CREATE INDEX answers_of_body ON answers (body);

-- `tier1` is missing where the submission counts nowhere, as performance wants it; `record` has what was measured.
CREATE TABLE verdicts (
    round {key} NOT NULL REFERENCES rounds (id),
    hotkey {key} NOT NULL,
    accepted BIGINT NOT NULL CHECK (accepted IN (0, 1)),
    tier1 DOUBLE PRECISION,
    tier2 DOUBLE PRECISION,
    record TEXT NOT NULL,
    PRIMARY KEY (round, hotkey)
);

CREATE TABLE canonical (
    round {key} NOT NULL PRIMARY KEY REFERENCES rounds (id),
    packed {blob} NOT NULL
);

-- Canonical scores by address.
CREATE TABLE alerts (
    address {key} NOT NULL,
    round {key} NOT NULL REFERENCES rounds (id),
    place BIGINT NOT NULL,
    alert_id TEXT NOT NULL,
    typology TEXT NOT NULL,
    severity TEXT NOT NULL,
    score DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (address, round, place)
){clustered};

CREATE TABLE settled (
    round {key} NOT NULL PRIMARY KEY REFERENCES rounds (id),
    packed {blob} NOT NULL
);

-- `tier3` is 0 for a miner that was asked and has no submission that counts.
CREATE TABLE settlements (
    round {key} NOT NULL REFERENCES rounds (id),
    hotkey {key} NOT NULL,
    tier3 DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (round, hotkey)
);

CREATE TABLE miners (
    hotkey {key} NOT NULL PRIMARY KEY,
    first_seen_ms BIGINT,
    receipt_key TEXT,
    failures BIGINT,
    next_try_ms BIGINT
);

-- At most one vector a window.
CREATE TABLE weights (
    netuid BIGINT NOT NULL,
    mechanism BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    vector TEXT NOT NULL,
    plan TEXT NOT NULL,
    state TEXT NOT NULL,
    made_ms BIGINT NOT NULL,
    PRIMARY KEY (netuid, mechanism, epoch)
);
