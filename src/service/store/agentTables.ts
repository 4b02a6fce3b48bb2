// The migration step of the agent's own work: inputs, what was decided on them, actions, schedules, message models.

export const agentTables = `
  CREATE TABLE message_model (
    decision_code TEXT NOT NULL,
    version INTEGER NOT NULL,
    model TEXT NOT NULL,
    usage_count INTEGER NOT NULL DEFAULT 0,
    last_used INTEGER,
    PRIMARY KEY (decision_code, version)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE past_decision (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    business_id TEXT NOT NULL,
    user_id TEXT,
    decided_at INTEGER NOT NULL,
    summary TEXT NOT NULL,
    record TEXT NOT NULL,
    UNIQUE (id, business_id)
  ) STRICT;
  CREATE INDEX past_decision_user ON past_decision (user_id);
  CREATE VIRTUAL TABLE decision_index USING fts5 (summary, tokenize = 'porter unicode61 remove_diacritics 2');
  -- Without it the words of a deleted decision stay in the index until it is merged.
  INSERT INTO decision_index (decision_index, rank) VALUES ('secure-delete', 1);
  CREATE TRIGGER past_decision_added AFTER INSERT ON past_decision BEGIN
    INSERT INTO decision_index (rowid, summary) VALUES (new.position, new.summary);
  END;
  CREATE TRIGGER past_decision_removed AFTER DELETE ON past_decision BEGIN
    DELETE FROM decision_index WHERE rowid = old.position;
  END;

  -- state: waiting (kept, not decided), settled, held (for a person), approved, rejected, failed.
  CREATE TABLE agent_input (
    input_id TEXT PRIMARY KEY,
    source TEXT NOT NULL,
    business_id TEXT NOT NULL,
    user_id TEXT,
    input TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER NOT NULL DEFAULT 0,
    output TEXT,
    decided_at INTEGER,
    reviewer TEXT,
    reviewed_at INTEGER,
    review_reason TEXT,
    -- Null: not told to the store of past decisions yet.
    told_at INTEGER,
    last_error TEXT
  ) STRICT;
  CREATE INDEX agent_input_waiting ON agent_input (next_at, received_at) WHERE state = 'waiting';
  CREATE INDEX agent_input_held ON agent_input (business_id, decided_at) WHERE state = 'held';
  CREATE INDEX agent_input_untold ON agent_input (decided_at) WHERE told_at IS NULL AND output IS NOT NULL;
  CREATE INDEX agent_input_user ON agent_input (user_id);

  -- state: held, ready, done, dead, dropped (a person said no).
  CREATE TABLE agent_action (
    action_id TEXT PRIMARY KEY,
    input_id TEXT NOT NULL REFERENCES agent_input ON DELETE CASCADE,
    business_id TEXT NOT NULL,
    action TEXT NOT NULL,
    rank INTEGER NOT NULL,
    state TEXT NOT NULL,
    next_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    leased_until INTEGER NOT NULL DEFAULT 0,
    last_error TEXT,
    ended_at INTEGER
  ) STRICT;
  CREATE INDEX agent_action_ready ON agent_action (next_at) WHERE state = 'ready';
  CREATE INDEX agent_action_input ON agent_action (input_id);

  CREATE TABLE scheduled_task (
    task_id TEXT PRIMARY KEY,
    business_id TEXT NOT NULL,
    user_id TEXT,
    task TEXT NOT NULL,
    state TEXT NOT NULL,
    next_at INTEGER,
    last_at INTEGER,
    runs INTEGER NOT NULL DEFAULT 0,
    missed INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX scheduled_task_due ON scheduled_task (next_at) WHERE state = 'active';
`
