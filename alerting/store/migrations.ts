/** Numbered by their place, from 1. One that has been released is never changed: a later one mends it. */
export const migrations: readonly string[] = [
  `
  CREATE TABLE episodes (
    id TEXT PRIMARY KEY,
    code TEXT NOT NULL,
    dwelling TEXT NOT NULL,
    test INTEGER NOT NULL,
    status TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    closed_at INTEGER,
    state TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX one_open_per_dwelling ON episodes (dwelling, test) WHERE closed_at IS NULL;
  CREATE UNIQUE INDEX one_open_per_code ON episodes (code) WHERE closed_at IS NULL;
  CREATE INDEX episodes_closed ON episodes (closed_at);

  CREATE TABLE detections (
    id TEXT PRIMARY KEY,
    episode_id TEXT NOT NULL REFERENCES episodes (id),
    device_id TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    body TEXT NOT NULL
  ) STRICT;
  CREATE INDEX detections_episode ON detections (episode_id);

  CREATE TABLE episode_log (
    seq INTEGER PRIMARY KEY,
    episode_id TEXT NOT NULL REFERENCES episodes (id),
    at INTEGER NOT NULL,
    input TEXT NOT NULL,
    hash TEXT NOT NULL
  ) STRICT;
  CREATE INDEX episode_log_episode ON episode_log (episode_id);
  CREATE TRIGGER episode_log_no_update BEFORE UPDATE ON episode_log
    BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
  CREATE TRIGGER episode_log_no_delete BEFORE DELETE ON episode_log
    BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;

  CREATE TABLE due (
    episode_id TEXT NOT NULL REFERENCES episodes (id),
    purpose TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (episode_id, purpose)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX due_at ON due (at);

  CREATE TABLE pages (
    id TEXT PRIMARY KEY,
    episode_id TEXT REFERENCES episodes (id),
    responder_id TEXT NOT NULL,
    purpose TEXT NOT NULL,
    step INTEGER NOT NULL,
    -- 0 calls somebody out, 1 informs.
    urgency INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    not_before INTEGER NOT NULL,
    status TEXT NOT NULL,
    language TEXT NOT NULL,
    body TEXT NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    resent INTEGER NOT NULL DEFAULT 0,
    provider_id TEXT,
    reason TEXT,
    ended_at INTEGER
  ) STRICT;
  CREATE INDEX pages_episode ON pages (episode_id);
  CREATE INDEX pages_to_send ON pages (not_before) WHERE status = 'pending';
  CREATE INDEX pages_being_sent ON pages (id) WHERE status = 'sending';
  CREATE INDEX pages_failed ON pages (ended_at) WHERE status = 'failed';

  CREATE TABLE attempts (
    id INTEGER PRIMARY KEY,
    page_id TEXT NOT NULL REFERENCES pages (id),
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    outcome TEXT,
    provider_id TEXT,
    reason TEXT
  ) STRICT;
  CREATE INDEX attempts_page ON attempts (page_id);

  CREATE TABLE receipts (
    page_id TEXT NOT NULL REFERENCES pages (id),
    provider_id TEXT NOT NULL,
    status TEXT NOT NULL,
    error_code TEXT,
    at INTEGER NOT NULL,
    PRIMARY KEY (provider_id, status)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE replies (
    provider_id TEXT PRIMARY KEY,
    responder_id TEXT NOT NULL,
    episode_id TEXT REFERENCES episodes (id),
    letter TEXT,
    effect TEXT NOT NULL,
    at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX replies_effect ON replies (responder_id, effect, at);

  CREATE TABLE dwellings (
    id TEXT PRIMARY KEY,
    alias TEXT NOT NULL,
    unit TEXT,
    area TEXT,
    room TEXT
  ) STRICT;
  CREATE UNIQUE INDEX one_alias_per_unit ON dwellings (COALESCE(unit, ''), alias COLLATE NOCASE);

  CREATE TABLE devices (
    id TEXT PRIMARY KEY,
    dwelling_id TEXT NOT NULL REFERENCES dwellings (id),
    placement TEXT NOT NULL,
    room TEXT,
    secret_hash TEXT NOT NULL,
    revoked INTEGER NOT NULL DEFAULT 0,
    added_at INTEGER NOT NULL,
    last_seen_at INTEGER,
    online INTEGER,
    battery REAL
  ) STRICT;

  -- Counts every change that a gateway must know of.
  CREATE TABLE control (one INTEGER PRIMARY KEY CHECK (one = 1), version INTEGER NOT NULL) STRICT;
  INSERT INTO control (one, version) VALUES (1, 0);

  CREATE TABLE users (
    name TEXT PRIMARY KEY COLLATE NOCASE,
    role TEXT NOT NULL,
    password_hash TEXT NOT NULL
  ) STRICT;

  CREATE TABLE probe (one INTEGER PRIMARY KEY CHECK (one = 1), beat INTEGER NOT NULL) STRICT;
  INSERT INTO probe (one, beat) VALUES (1, 0);
  `,
  `
  -- The secret that was replaced, valid until the new one was used or until its end.
  ALTER TABLE devices ADD COLUMN previous_secret_hash TEXT;
  ALTER TABLE devices ADD COLUMN previous_secret_until INTEGER;
  ALTER TABLE devices ADD COLUMN secret_since INTEGER;
  `,
  `
  CREATE TABLE gateways (
    id TEXT PRIMARY KEY,
    every_ms INTEGER NOT NULL,
    control_version INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    lost_at INTEGER
  ) STRICT;
  `,
  `
  -- Of the resident and of whoever lives there. No row: not on record. Who vouched for it, or took note of the withdrawal, and when.
  CREATE TABLE consents (
    dwelling_id TEXT PRIMARY KEY REFERENCES dwellings (id),
    state TEXT NOT NULL CHECK (state IN ('given', 'withdrawn')),
    at INTEGER NOT NULL,
    by TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- The last pause of each dwelling; it may be over.
  CREATE TABLE pauses (
    dwelling_id TEXT PRIMARY KEY REFERENCES dwellings (id),
    from_at INTEGER NOT NULL,
    until_at INTEGER NOT NULL,
    reason TEXT NOT NULL,
    by TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  ALTER TABLE devices ADD COLUMN threshold REAL;

  -- Every change of what gateways follow, with the version that it made. "by" is who acted, "what" never a resident.
  CREATE TABLE control_changes (
    id INTEGER PRIMARY KEY,
    version INTEGER NOT NULL,
    at INTEGER NOT NULL,
    part TEXT NOT NULL CHECK (part IN ('registry', 'consents', 'pauses', 'placements', 'thresholds', 'revocations')),
    device_id TEXT,
    dwelling_id TEXT,
    by TEXT,
    what TEXT NOT NULL
  ) STRICT;
  CREATE INDEX control_changes_part ON control_changes (part, version);
  CREATE TRIGGER control_changes_no_update BEFORE UPDATE ON control_changes
    BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
  CREATE TRIGGER control_changes_no_delete BEFORE DELETE ON control_changes
    BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;

  -- Who was watched before consents were recorded is watched after it.
  INSERT INTO consents (dwelling_id, state, at, by)
    SELECT dwellings.id, 'given', COALESCE(MIN(devices.added_at), 0), 'before consents were recorded'
    FROM dwellings LEFT JOIN devices ON devices.dwelling_id = dwellings.id GROUP BY dwellings.id;
  INSERT INTO control_changes (version, at, part, device_id, dwelling_id, what)
    SELECT (SELECT version FROM control), added_at, 'registry', id, dwelling_id, 'added before changes were recorded' FROM devices ORDER BY added_at;
  UPDATE control SET version = version + 1 WHERE EXISTS (SELECT 1 FROM dwellings);
  INSERT INTO control_changes (version, at, part, dwelling_id, by, what)
    SELECT (SELECT version FROM control), at, 'consents', dwelling_id, by, 'given' FROM consents;
  `,
  `
  -- Overrides, swaps, hand-overs and withdrawals of the rotas. from_at and until_at hold all that a change touches.
  CREATE TABLE rota_changes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    rota_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('override', 'swap', 'hand-over', 'withdrawal')),
    from_at INTEGER NOT NULL,
    until_at INTEGER NOT NULL,
    body TEXT NOT NULL,
    withdraws INTEGER REFERENCES rota_changes (id),
    at INTEGER NOT NULL,
    by TEXT
  ) STRICT;
  CREATE UNIQUE INDEX withdrawn_once ON rota_changes (withdraws) WHERE withdraws IS NOT NULL;
  CREATE INDEX rota_changes_until ON rota_changes (until_at);
  CREATE TRIGGER rota_changes_no_update BEFORE UPDATE ON rota_changes
    BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
  CREATE TRIGGER rota_changes_no_delete BEFORE DELETE ON rota_changes
    BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;

  -- What happened with the phone of each stint. "crew" is who was on the patrol; it is taken out after a while, and nothing else is.
  CREATE TABLE rota_sign_ons (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    rota_id TEXT NOT NULL,
    responder_id TEXT NOT NULL,
    starts_at INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('asked', 'signed-on', 'missed', 'crew')),
    at INTEGER NOT NULL,
    via TEXT,
    crew TEXT,
    by TEXT
  ) STRICT;
  CREATE INDEX rota_sign_ons_starts ON rota_sign_ons (starts_at);
  CREATE TRIGGER rota_sign_ons_no_update BEFORE UPDATE ON rota_sign_ons
    WHEN NOT (NEW.crew IS NULL AND NEW.id = OLD.id AND NEW.rota_id = OLD.rota_id AND NEW.responder_id = OLD.responder_id
      AND NEW.starts_at = OLD.starts_at AND NEW.kind = OLD.kind AND NEW.at = OLD.at AND NEW.via IS OLD.via AND NEW.by IS OLD.by)
    BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
  CREATE TRIGGER rota_sign_ons_no_delete BEFORE DELETE ON rota_sign_ons
    BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
  `,
  `
  -- Phones that get no texts any more, as far as is known: a permanent failure, or STOP.
  CREATE TABLE contacts (
    responder_id TEXT PRIMARY KEY,
    reason TEXT NOT NULL,
    since INTEGER NOT NULL,
    -- A fingerprint of the number: another phone is not lost with it.
    phone TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- A technical alarm that went in the same text as another: the page that was sent.
  ALTER TABLE pages ADD COLUMN sent_with TEXT REFERENCES pages (id);
  CREATE INDEX pages_sent_with ON pages (sent_with) WHERE sent_with IS NOT NULL;
  CREATE INDEX pages_technical ON pages (responder_id, ended_at) WHERE purpose = 'technical';

  -- How long whoever took an alarm here may be on the way; null: as the policy says.
  ALTER TABLE dwellings ADD COLUMN arrive_minutes INTEGER;
  `,
  `
  -- Which master key the store was sealed with; the key itself is never here.
  CREATE TABLE master_key (one INTEGER PRIMARY KEY CHECK (one = 1), fingerprint TEXT NOT NULL) STRICT;

  -- A key for each dwelling (or device in no register), wrapped by the master key. A key that was destroyed leaves its row.
  CREATE TABLE sealing_keys (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    holder TEXT NOT NULL,
    wrapped TEXT,
    made_at INTEGER NOT NULL,
    destroyed_at INTEGER
  ) STRICT;
  CREATE UNIQUE INDEX one_key_per_holder ON sealing_keys (holder) WHERE wrapped IS NOT NULL;

  -- Null: the entry was written before entries were sealed.
  ALTER TABLE episode_log ADD COLUMN key_id INTEGER REFERENCES sealing_keys (id);

  -- "traces" finds what is elsewhere of the dwelling, and goes with it.
  CREATE TABLE erasures (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    dwelling_id TEXT NOT NULL REFERENCES dwellings (id),
    traces TEXT,
    by TEXT NOT NULL,
    begun_at INTEGER NOT NULL,
    erased_at INTEGER,
    finished_at INTEGER
  ) STRICT;
  CREATE UNIQUE INDEX one_erasure_at_a_time ON erasures (dwelling_id) WHERE finished_at IS NULL;
  ALTER TABLE episodes ADD COLUMN erasure_id INTEGER REFERENCES erasures (id);
  CREATE INDEX episodes_dwelling ON episodes (dwelling);
  CREATE INDEX episodes_erased ON episodes (erasure_id) WHERE erasure_id IS NOT NULL;

  CREATE TABLE residents (
    id TEXT PRIMARY KEY,
    dwelling_id TEXT NOT NULL REFERENCES dwellings (id),
    added_at INTEGER NOT NULL,
    key_id INTEGER NOT NULL REFERENCES sealing_keys (id),
    -- Name, address, key code and whom to call, sealed together.
    sealed TEXT NOT NULL
  ) STRICT;
  CREATE INDEX residents_dwelling ON residents (dwelling_id);

  -- Acts that are no step of an episode: look-ups, erasures, exports.
  CREATE TABLE audit_log (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    body TEXT NOT NULL,
    hash TEXT NOT NULL
  ) STRICT;
  CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log
    BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
  CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log
    BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
  `,
  `
  -- What is awaited goes before what only informs: 0 calls somebody out, 1 is awaited, 2 informs, 3 is about equipment.
  UPDATE pages SET urgency = CASE WHEN purpose = 'technical' THEN 3 WHEN purpose IN ('taken', 'answer', 'reminder') THEN 1 ELSE 2 END
    WHERE status = 'pending' AND urgency > 0;
  `,
  `
  -- Each threshold that a device was given. It goes with the dwelling when that is erased; nothing else changes it.
  CREATE TABLE threshold_versions (
    device_id TEXT NOT NULL REFERENCES devices (id),
    version INTEGER NOT NULL,
    -- Null: the model's own.
    threshold REAL,
    before REAL,
    at INTEGER NOT NULL,
    approved_by TEXT NOT NULL,
    -- By hand, after \`fallvakt tune\`, or put back.
    how TEXT NOT NULL CHECK (how IN ('set', 'tuned', 'reverted')),
    reverts_to INTEGER,
    reason TEXT,
    model TEXT,
    -- Counts as JSON: what spoke for it.
    evidence TEXT,
    PRIMARY KEY (device_id, version)
  ) STRICT, WITHOUT ROWID;
  CREATE TRIGGER threshold_versions_no_update BEFORE UPDATE ON threshold_versions
    BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END;
  INSERT INTO threshold_versions (device_id, version, threshold, at, approved_by, how)
    SELECT id, 1, threshold, COALESCE((SELECT MAX(at) FROM control_changes WHERE part = 'thresholds' AND device_id = devices.id), added_at),
      COALESCE((SELECT by FROM control_changes WHERE part = 'thresholds' AND device_id = devices.id ORDER BY id DESC LIMIT 1), 'before versions were kept'), 'set'
    FROM devices WHERE threshold IS NOT NULL;
  CREATE INDEX detections_device ON detections (device_id);
  `,
  `
  -- 1: a contact at a door that leads out of the dwelling.
  ALTER TABLE devices ADD COLUMN leads_out INTEGER NOT NULL DEFAULT 0;

  -- Whether the resident lives alone, as somebody has said; null: nobody has.
  ALTER TABLE dwellings ADD COLUMN household TEXT CHECK (household IN ('alone', 'shared'));

  -- Gateways are told from now on which devices share a dwelling: each fetches the register anew.
  UPDATE control SET version = version + 1 WHERE EXISTS (SELECT 1 FROM devices);
  INSERT INTO control_changes (version, at, part, what)
    SELECT version, COALESCE((SELECT MAX(at) FROM control_changes), 0), 'registry', 'which devices share a dwelling, for presence'
    FROM control WHERE EXISTS (SELECT 1 FROM devices);
  `,
  `
  -- Since when it is written down when the service lived, and when it last did.
  CREATE TABLE service_beat (one INTEGER PRIMARY KEY CHECK (one = 1), since INTEGER NOT NULL, at INTEGER NOT NULL) STRICT;

  -- Causes of blind time: each begins, and ends once. Nothing is taken out but what is of an erased dwelling.
  CREATE TABLE service_gaps (id INTEGER PRIMARY KEY, from_at INTEGER NOT NULL, until_at INTEGER NOT NULL) STRICT;
  CREATE INDEX service_gaps_until ON service_gaps (until_at);
  CREATE TABLE gateway_outages (
    id INTEGER PRIMARY KEY,
    gateway_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('lost', 'broker-lost')),
    from_at INTEGER NOT NULL,
    until_at INTEGER
  ) STRICT;
  CREATE UNIQUE INDEX one_outage_of_a_gateway ON gateway_outages (gateway_id, kind) WHERE until_at IS NULL;
  CREATE INDEX gateway_outages_until ON gateway_outages (until_at);
  CREATE TABLE device_outages (
    id INTEGER PRIMARY KEY,
    device_id TEXT NOT NULL REFERENCES devices (id),
    kind TEXT NOT NULL CHECK (kind IN ('offline', 'not-worn')),
    from_at INTEGER NOT NULL,
    until_at INTEGER
  ) STRICT;
  CREATE UNIQUE INDEX one_outage_of_a_device ON device_outages (device_id, kind) WHERE until_at IS NULL;
  CREATE INDEX device_outages_until ON device_outages (until_at);

  -- Through which gateway a device was heard, from when on.
  CREATE TABLE device_gateways (
    id INTEGER PRIMARY KEY,
    device_id TEXT NOT NULL REFERENCES devices (id),
    gateway_id TEXT NOT NULL,
    at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX device_gateways_device ON device_gateways (device_id);

  ALTER TABLE devices ADD COLUMN revoked_at INTEGER;
  UPDATE devices SET revoked_at = COALESCE((SELECT MAX(at) FROM control_changes WHERE part = 'revocations' AND device_id = devices.id), last_seen_at, added_at)
    WHERE revoked = 1;
  ALTER TABLE devices ADD COLUMN first_heard_at INTEGER;
  UPDATE devices SET first_heard_at = added_at WHERE last_seen_at IS NOT NULL;
  -- 1: it has told of presence, and sees no falls.
  ALTER TABLE devices ADD COLUMN tells_presence INTEGER NOT NULL DEFAULT 0;
  -- 1: a tag that staff carry or that hangs at the door. Pressed, it says that staff are in the dwelling.
  ALTER TABLE devices ADD COLUMN staff_tag INTEGER NOT NULL DEFAULT 0;

  -- Every pause; "pauses" holds the last of each dwelling. "source" is the press that began it, where one did: the same press begins no second.
  CREATE TABLE pause_history (
    id INTEGER PRIMARY KEY,
    dwelling_id TEXT NOT NULL REFERENCES dwellings (id),
    from_at INTEGER NOT NULL,
    until_at INTEGER NOT NULL,
    reason TEXT NOT NULL,
    by TEXT NOT NULL,
    via TEXT NOT NULL,
    source TEXT UNIQUE,
    ended_at INTEGER,
    ended_by TEXT
  ) STRICT;
  CREATE INDEX pause_history_dwelling ON pause_history (dwelling_id, until_at);
  CREATE TRIGGER pause_history_only_ends BEFORE UPDATE ON pause_history
    WHEN NOT (OLD.ended_at IS NULL AND NEW.id = OLD.id AND NEW.dwelling_id = OLD.dwelling_id AND NEW.from_at = OLD.from_at
      AND NEW.until_at = OLD.until_at AND NEW.reason = OLD.reason AND NEW.by = OLD.by AND NEW.source IS OLD.source)
    BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END;
  INSERT INTO pause_history (dwelling_id, from_at, until_at, reason, by, via)
    SELECT dwelling_id, from_at, until_at, reason, by, 'cli' FROM pauses;

  -- What the event log was told, by hour: a correction is told as what is to be added.
  CREATE TABLE blind_time_told (
    dwelling_id TEXT NOT NULL REFERENCES dwellings (id),
    hour_at INTEGER NOT NULL,
    reason TEXT NOT NULL,
    seconds INTEGER NOT NULL,
    PRIMARY KEY (dwelling_id, hour_at, reason)
  ) STRICT, WITHOUT ROWID;

  -- Consent of one person who lives in a dwelling. "sealed": who gave it, and how they were informed, in the words of whoever took it down.
  CREATE TABLE consent_records (
    id TEXT PRIMARY KEY,
    dwelling_id TEXT NOT NULL REFERENCES dwellings (id),
    person TEXT NOT NULL CHECK (person IN ('resident', 'other')),
    given_at INTEGER NOT NULL,
    review_at INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    by TEXT NOT NULL,
    key_id INTEGER NOT NULL REFERENCES sealing_keys (id),
    sealed TEXT NOT NULL,
    -- Withdrawn, or given anew, and by whom that was taken down.
    ended_at INTEGER,
    ended_by TEXT
  ) STRICT;
  CREATE INDEX consent_records_dwelling ON consent_records (dwelling_id);
  -- 1: it rests on the records of each who lives there, and goes by them; 0: somebody vouched for all of them.
  ALTER TABLE consents ADD COLUMN recorded INTEGER NOT NULL DEFAULT 0;
  `,
  `
  -- What supervision found wrong with devices, each outage a row, kept as history; open where ended_at is null. A device may be in no register.
  -- since: since when it is so; for overdue, when it was last heard. at: when a gateway said so. Times are wall time, ms.
  CREATE TABLE device_troubles (
    device_id TEXT NOT NULL,
    trouble TEXT NOT NULL,
    since INTEGER NOT NULL,
    at INTEGER NOT NULL,
    ended_at INTEGER,
    device_class TEXT CHECK (device_class IN ('wearable', 'presence', 'button')),
    gateway_id TEXT,
    battery REAL,
    days_left REAL,
    drift_ms INTEGER,
    -- 1: a technical alarm was raised for it.
    raised INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (device_id, trouble, since)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX device_troubles_open ON device_troubles (trouble) WHERE ended_at IS NULL;
  CREATE INDEX device_troubles_ended ON device_troubles (ended_at);
  `,
  `
  -- A device in store is in no dwelling.
  ALTER TABLE devices ADD COLUMN lives_in TEXT REFERENCES dwellings (id);
  UPDATE devices SET lives_in = dwelling_id;
  ALTER TABLE devices DROP COLUMN dwelling_id;
  ALTER TABLE devices RENAME COLUMN lives_in TO dwelling_id;

  -- Whether a device's alarms call staff to its address: once it is in operation. "how": by a test alarm that was answered, or in bulk by somebody's word.
  ALTER TABLE devices ADD COLUMN operation TEXT NOT NULL DEFAULT 'awaiting-test' CHECK (operation IN ('awaiting-test', 'in-operation', 'in-store'));
  ALTER TABLE devices ADD COLUMN operation_since INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE devices ADD COLUMN operation_by TEXT;
  ALTER TABLE devices ADD COLUMN operation_how TEXT;
  -- 1: the self-test's. Its alarms are tests, and it is in no dwelling.
  ALTER TABLE devices ADD COLUMN self_test INTEGER NOT NULL DEFAULT 0;
  -- Who was watched before this goes on being watched.
  UPDATE devices SET operation = 'in-operation', operation_since = added_at, operation_by = 'before commissioning was kept', operation_how = 'bulk';

  -- Each change of it. It goes with the dwelling when that is erased; nothing else changes it.
  CREATE TABLE operation_changes (
    id INTEGER PRIMARY KEY,
    device_id TEXT NOT NULL REFERENCES devices (id),
    dwelling_id TEXT,
    state TEXT NOT NULL,
    at INTEGER NOT NULL,
    by TEXT,
    how TEXT,
    -- In somebody's own words.
    reason TEXT
  ) STRICT;
  CREATE INDEX operation_changes_device ON operation_changes (device_id);
  CREATE TRIGGER operation_changes_no_update BEFORE UPDATE ON operation_changes
    BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END;

  -- Times in which a device's next alarm is a test. One that was ended has an outcome.
  CREATE TABLE operation_tests (
    id TEXT PRIMARY KEY,
    device_id TEXT NOT NULL REFERENCES devices (id),
    dwelling_id TEXT NOT NULL REFERENCES dwellings (id),
    -- Whose phone is asked; null: whoever is on call.
    responder_id TEXT,
    by TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    until_at INTEGER NOT NULL,
    episode_id TEXT,
    wrong INTEGER NOT NULL DEFAULT 0,
    ended_at INTEGER,
    outcome TEXT CHECK (outcome IN ('passed', 'no-alarm', 'unanswered', 'called-off'))
  ) STRICT;
  CREATE UNIQUE INDEX one_operation_test ON operation_tests (device_id) WHERE ended_at IS NULL;

  -- What is done at set times of the day, and when it is next to be done.
  CREATE TABLE set_times (what TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;

  -- Self-tests of the whole chain: how far each came, and how long each link took, as JSON.
  CREATE TABLE self_tests (
    id TEXT PRIMARY KEY,
    asked_at INTEGER NOT NULL,
    by TEXT,
    body TEXT NOT NULL,
    episode_id TEXT,
    ended_at INTEGER,
    -- The link that failed; null where all went well, or it has not ended.
    failed TEXT
  ) STRICT;
  CREATE INDEX self_tests_asked ON self_tests (asked_at);
  CREATE INDEX self_tests_episode ON self_tests (episode_id);
  `,
  `
  -- Home-care units whose residents an account may see, a JSON array; null: all of them.
  ALTER TABLE users ADD COLUMN units TEXT;
  `,
  `
  -- What was to be followed up after an alarm, and is done: who said so, and when. A tick that is taken back is a row less; the audit log has both.
  CREATE TABLE follow_ups (
    episode_id TEXT NOT NULL REFERENCES episodes (id),
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    by TEXT NOT NULL,
    PRIMARY KEY (episode_id, kind)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- An account whose password is chosen by its person, by a code that is good once. password_hash null: not chosen yet. Times are wall time, ms.
  CREATE TABLE accounts (
    name TEXT PRIMARY KEY COLLATE NOCASE,
    role TEXT NOT NULL,
    units TEXT,
    password_hash TEXT,
    added_at INTEGER,
    -- Shut off since; null: it may log in.
    shut_off_at INTEGER,
    code_hash TEXT,
    code_until INTEGER,
    code_tries INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  INSERT INTO accounts (name, role, units, password_hash) SELECT name, role, units, password_hash FROM users;
  DROP TABLE users;

  -- Who is logged in: the token's hash, and the account as it was then. A change of the account ends them.
  CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    token_hash TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL COLLATE NOCASE,
    role TEXT NOT NULL,
    units TEXT,
    opened_at INTEGER NOT NULL,
    -- Written every few minutes, not at each request.
    used_at INTEGER NOT NULL,
    agent TEXT
  ) STRICT;
  CREATE INDEX sessions_account ON sessions (account);
  CREATE INDEX sessions_used ON sessions (used_at);

  -- Tokens of programs. Their names stand in the audit log and are never given twice.
  CREATE TABLE access_tokens (
    name TEXT PRIMARY KEY COLLATE NOCASE,
    token_hash TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL COLLATE NOCASE,
    role TEXT NOT NULL,
    units TEXT,
    scopes TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    until_at INTEGER NOT NULL,
    used_at INTEGER,
    revoked_at INTEGER
  ) STRICT;
  CREATE INDEX access_tokens_account ON access_tokens (account);

  -- What was answered to a request with an idempotency key, sealed by that key, which is not kept. sealed null: it was begun, and what came of it isn't known.
  CREATE TABLE answers (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL COLLATE NOCASE,
    fingerprint TEXT NOT NULL,
    sealed TEXT,
    at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX answers_account ON answers (account, at);
  CREATE INDEX answers_at ON answers (at);
  `,
  `
  -- Past episodes are looked up by when they were opened.
  CREATE INDEX episodes_opened ON episodes (opened_at);
  `,
  `
  -- What a device says of its firmware.
  ALTER TABLE devices ADD COLUMN firmware TEXT;
  `,
];
