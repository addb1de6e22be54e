-- What rules v2, sealed answers, forms of a task, evidence and rounds that went wrong need. Nothing of version 1 changes.

-- The list of rules that was in force when a round began, the constants of its version, and what befell it. A round that
-- is void or late stands in nobody's numerator or denominator. `outcomes_ms`: when outcomes were last looked for.
ALTER TABLE rounds ADD COLUMN rules_list TEXT;
ALTER TABLE rounds ADD COLUMN constants TEXT;
ALTER TABLE rounds ADD COLUMN opening_ms BIGINT;
ALTER TABLE rounds ADD COLUMN beacon TEXT;
ALTER TABLE rounds ADD COLUMN held_ms BIGINT;
ALTER TABLE rounds ADD COLUMN held_why TEXT;
ALTER TABLE rounds ADD COLUMN extended_ms BIGINT;
ALTER TABLE rounds ADD COLUMN void_ms BIGINT;
ALTER TABLE rounds ADD COLUMN void_why TEXT;
ALTER TABLE rounds ADD COLUMN late_ms BIGINT;
ALTER TABLE rounds ADD COLUMN late_why TEXT;
ALTER TABLE rounds ADD COLUMN adopted TEXT;
ALTER TABLE rounds ADD COLUMN outcomes_ms BIGINT;

-- `cipher`: the sealed body that arrived; `body` is the plain one. Attempts stand in `record`.
ALTER TABLE answers ADD COLUMN cipher {key} REFERENCES bodies (digest);
ALTER TABLE answers ADD COLUMN not_asked BIGINT NOT NULL DEFAULT 0 CHECK (not_asked IN (0, 1));
CREATE INDEX answers_of_cipher ON answers (cipher);

-- How much better than chance a submission did on the round's traps.
ALTER TABLE verdicts ADD COLUMN advantage DOUBLE PRECISION;

-- Files that belong to a round: encoded forms of its task (`form/json`, ...), evidence, a calibration. `digest` is of the
-- content, `decoded` of what it decodes to.
CREATE TABLE files (
    round {key} NOT NULL REFERENCES rounds (id),
    name {key} NOT NULL,
    digest TEXT NOT NULL,
    decoded TEXT,
    bytes BIGINT NOT NULL,
    swept_ms BIGINT,
    content {blob},
    PRIMARY KEY (round, name)
);

-- What became known of an alert, each version once. `illicit` is missing where an outcome was withdrawn. What counts at a
-- moment goes by `confirmed_ms` (the source's), what was known here at a moment by `seen_ms` and `replaced_ms`.
CREATE TABLE outcomes (
    round {key} NOT NULL REFERENCES rounds (id),
    place BIGINT NOT NULL,
    seen_ms BIGINT NOT NULL,
    address TEXT NOT NULL,
    illicit BIGINT CHECK (illicit IN (0, 1)),
    relevance BIGINT NOT NULL,
    confirmed_ms BIGINT NOT NULL,
    replaced_ms BIGINT,
    PRIMARY KEY (round, place, seen_ms)
){clustered};

CREATE INDEX outcomes_of_address ON outcomes (address);

-- What a submission (by its hotkey) or a reference (`reference:NAME`) says of a round's alerts, by place in the roster:
-- its column, 16-bit integers, and its scores, 64-bit floats, both little-endian and compressed. The digests are of the
-- bytes before they were compressed. `curve` in `curves` is what places were worth; without a row, Savage scores.
CREATE TABLE columns (
    round {key} NOT NULL REFERENCES rounds (id),
    name {key} NOT NULL,
    alerts BIGINT NOT NULL,
    worths_sha256 TEXT NOT NULL,
    scores_sha256 TEXT NOT NULL,
    swept_ms BIGINT,
    worths {blob},
    scores {blob},
    PRIMARY KEY (round, name)
);

CREATE TABLE curves (
    round {key} NOT NULL PRIMARY KEY REFERENCES rounds (id),
    curve TEXT NOT NULL
);

-- Known outcomes of a submission's alerts by part of its order and by bin of its scores.
CREATE TABLE counts (
    round {key} NOT NULL REFERENCES rounds (id),
    hotkey {key} NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (round, hotkey)
);

-- Where everybody stood on a round's day, and how that day's pay is shared. The first of a round is what its curve, its
-- voices and its pay were made from; a later one amends the pay.
CREATE TABLE standings (
    round {key} NOT NULL REFERENCES rounds (id),
    made_ms BIGINT NOT NULL,
    packed {blob} NOT NULL,
    PRIMARY KEY (round, made_ms)
);

CREATE TABLE shares (
    round {key} NOT NULL REFERENCES rounds (id),
    made_ms BIGINT NOT NULL,
    packed {blob} NOT NULL,
    PRIMARY KEY (round, made_ms)
);

-- The canonical scores that other rules would have made of the same answers.
CREATE TABLE canonical_beside (
    round {key} NOT NULL REFERENCES rounds (id),
    rules {key} NOT NULL,
    packed {blob} NOT NULL,
    PRIMARY KEY (round, rules)
);
