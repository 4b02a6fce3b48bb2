// The shared tables, as the steps that make them. Texts are compared by their bytes (COLLATE "C"), as in the embedded store, whatever
// language the server speaks; times are Unix ms; what is JSON is text, because it is only read whole.

/** Who is alive: what an instance has claimed is its own until it has been silent for a while. */
export const instanceSteps = `
  CREATE TABLE service_instance (
    instance text COLLATE "C" PRIMARY KEY,
    seen_at timestamptz NOT NULL,
    -- Since when it has given its sign without a gap: who was away itself can't tell who else was.
    since timestamptz NOT NULL
  );
  CREATE FUNCTION service_silence() RETURNS interval IMMUTABLE LANGUAGE sql AS $$ SELECT interval '15 seconds' $$;
  CREATE FUNCTION service_beat(me text) RETURNS void LANGUAGE sql AS $$
    INSERT INTO service_instance (instance, seen_at, since) VALUES (me, clock_timestamp(), clock_timestamp())
    ON CONFLICT (instance) DO UPDATE SET seen_at = excluded.seen_at,
      since = CASE WHEN service_instance.seen_at < excluded.seen_at - service_silence() THEN excluded.since ELSE service_instance.since END
  $$;
  -- Whether what \`owner\` has claimed may be taken by \`me\`: nobody has, or I have, or it has gone, or I have heard nothing of it for long.
  CREATE FUNCTION service_free(owner text, me text) RETURNS boolean STABLE LANGUAGE sql AS $$
    SELECT owner IS NULL OR owner = me OR NOT EXISTS (
      SELECT 1 FROM service_instance other WHERE other.instance = owner AND NOT (
        other.seen_at < clock_timestamp() - service_silence()
        AND EXISTS (SELECT 1 FROM service_instance mine WHERE mine.instance = me AND mine.since < clock_timestamp() - service_silence())
      )
    )
  $$
`

export const sessionSteps = `
  CREATE TABLE chat_session (
    user_id text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    session_id text COLLATE "C" NOT NULL,
    client_name text COLLATE "C" NOT NULL,
    context text COLLATE "C" NOT NULL,
    meeting_type text COLLATE "C",
    metadata text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (user_id, kind, session_id)
  );
  CREATE INDEX chat_session_recent ON chat_session (user_id, kind, created_at, session_id);

  CREATE TABLE chat_message (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    session_id text COLLATE "C" NOT NULL,
    message_id text COLLATE "C" NOT NULL,
    role text COLLATE "C" NOT NULL,
    content text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL,
    state text COLLATE "C" NOT NULL,
    details text COLLATE "C" NOT NULL,
    -- Of a pending message: the instance that asks it.
    owner text COLLATE "C",
    UNIQUE (user_id, kind, message_id),
    FOREIGN KEY (user_id, kind, session_id) REFERENCES chat_session (user_id, kind, session_id) ON DELETE CASCADE
  );
  CREATE INDEX chat_message_session ON chat_message (user_id, kind, session_id, position);
  CREATE INDEX chat_message_pending ON chat_message (user_id, position) WHERE state = 'pending';
  CREATE INDEX chat_message_unread ON chat_message (user_id, kind, position) WHERE state = 'unread';

  CREATE TABLE message (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id text COLLATE "C" NOT NULL,
    session_id text COLLATE "C" NOT NULL,
    turn_id text COLLATE "C" NOT NULL,
    role text COLLATE "C" NOT NULL,
    text text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL,
    client text COLLATE "C" NOT NULL DEFAULT '',
    UNIQUE (turn_id, role)
  );
  CREATE INDEX message_session ON message (user_id, session_id, position);

  CREATE TABLE external_event (
    source text COLLATE "C" NOT NULL,
    delivery_id text COLLATE "C" NOT NULL,
    event_id text COLLATE "C" NOT NULL,
    type text COLLATE "C" NOT NULL,
    body text COLLATE "C" NOT NULL,
    received_at bigint NOT NULL,
    handled_at bigint,
    PRIMARY KEY (source, delivery_id)
  );
  CREATE INDEX external_event_waiting ON external_event (received_at, event_id) WHERE handled_at IS NULL;
  CREATE INDEX external_event_id ON external_event (event_id)
`

/** Reserving and settling are functions, because each must be one step: however many services ask, the caps hold. */
export const ledgerSteps = `
  CREATE TABLE cost_attempt (
    position bigint GENERATED ALWAYS AS IDENTITY,
    attempt_id text COLLATE "C" PRIMARY KEY,
    turn_id text COLLATE "C" NOT NULL,
    user_id text COLLATE "C" NOT NULL,
    organisation text COLLATE "C" NOT NULL,
    client text COLLATE "C" NOT NULL,
    provider text COLLATE "C" NOT NULL,
    model text COLLATE "C" NOT NULL,
    at bigint NOT NULL,
    month text COLLATE "C" NOT NULL,
    predicted_micros bigint NOT NULL CHECK (predicted_micros >= 0),
    predicted_input_tokens bigint NOT NULL,
    -- The instance that asks the provider.
    owner text COLLATE "C" NOT NULL,
    settled_at bigint,
    outcome text COLLATE "C",
    input_tokens bigint NOT NULL DEFAULT 0,
    output_tokens bigint NOT NULL DEFAULT 0,
    cached_tokens bigint NOT NULL DEFAULT 0,
    cost_micros bigint NOT NULL DEFAULT 0 CHECK (cost_micros >= 0),
    estimated boolean NOT NULL DEFAULT false,
    priced boolean NOT NULL DEFAULT true
  );
  CREATE INDEX cost_attempt_turn ON cost_attempt (turn_id);
  CREATE INDEX cost_attempt_user ON cost_attempt (user_id, at);
  CREATE INDEX cost_attempt_open ON cost_attempt (at) WHERE settled_at IS NULL;

  CREATE TABLE cost_month (
    organisation text COLLATE "C" NOT NULL,
    month text COLLATE "C" NOT NULL,
    purse text COLLATE "C" NOT NULL,
    spent_micros bigint NOT NULL DEFAULT 0,
    reserved_micros bigint NOT NULL DEFAULT 0 CHECK (reserved_micros >= 0),
    PRIMARY KEY (organisation, month, purse)
  );
  -- The purse of a client; null: the whole organisation's.
  CREATE FUNCTION cost_purse(client text) RETURNS text IMMUTABLE LANGUAGE sql AS $$
    SELECT CASE WHEN client IS NULL THEN 'whole' ELSE 'client ' || client END
  $$;

  -- The rows of the month, locked: the whole organisation's first, everywhere, so that nobody waits for somebody who waits for him.
  CREATE FUNCTION cost_lock(of_organisation text, of_client text, of_month text) RETURNS void LANGUAGE plpgsql AS $$
  DECLARE one text;
  BEGIN
    FOREACH one IN ARRAY ARRAY[cost_purse(NULL), cost_purse(of_client)] LOOP
      INSERT INTO cost_month (organisation, month, purse) VALUES (of_organisation, of_month, one) ON CONFLICT DO NOTHING;
      PERFORM 1 FROM cost_month WHERE organisation = of_organisation AND month = of_month AND purse = one FOR UPDATE;
    END LOOP;
  END $$;

  CREATE FUNCTION cost_reserve(new_attempt text, of_turn text, of_user text, of_organisation text, of_client text, of_provider text,
    of_model text, reserved_at bigint, of_month text, micros bigint, tokens bigint, me text,
    caps json) RETURNS boolean LANGUAGE plpgsql AS $$
  DECLARE cap record;
  BEGIN
    PERFORM cost_lock(of_organisation, of_client, of_month);
    IF EXISTS (SELECT 1 FROM cost_attempt WHERE attempt_id = new_attempt) THEN RETURN true; END IF;
    FOR cap IN SELECT * FROM json_to_recordset(caps) AS one (organisation text, client text, micros bigint) LOOP
      IF coalesce((SELECT spent_micros + reserved_micros FROM cost_month
          WHERE organisation = cap.organisation AND month = of_month AND purse = cost_purse(cap.client)), 0) + cost_reserve.micros > cap.micros THEN
        RETURN false;
      END IF;
    END LOOP;
    INSERT INTO cost_attempt (attempt_id, turn_id, user_id, organisation, client, provider, model, at, month, predicted_micros,
      predicted_input_tokens, owner)
    VALUES (new_attempt, of_turn, of_user, of_organisation, of_client, of_provider, of_model, reserved_at, of_month, micros, tokens, me);
    UPDATE cost_month SET reserved_micros = reserved_micros + micros
    WHERE organisation = of_organisation AND month = of_month AND purse IN (cost_purse(NULL), cost_purse(of_client));
    RETURN true;
  END $$;

  CREATE FUNCTION cost_settle(of_attempt text, ended_at bigint, how text, input bigint, output bigint, cached bigint, micros bigint,
    is_estimated boolean, is_priced boolean) RETURNS boolean LANGUAGE plpgsql AS $$
  DECLARE attempt cost_attempt;
  BEGIN
    SELECT * INTO attempt FROM cost_attempt WHERE attempt_id = of_attempt;
    IF NOT FOUND THEN RETURN false; END IF;
    PERFORM cost_lock(attempt.organisation, attempt.client, attempt.month);
    UPDATE cost_attempt SET settled_at = ended_at, outcome = how, input_tokens = input, output_tokens = output, cached_tokens = cached,
      cost_micros = micros, estimated = is_estimated, priced = is_priced
    WHERE attempt_id = of_attempt AND settled_at IS NULL;
    IF NOT FOUND THEN RETURN false; END IF;
    UPDATE cost_month SET spent_micros = spent_micros + micros, reserved_micros = reserved_micros - attempt.predicted_micros
    WHERE organisation = attempt.organisation AND month = attempt.month AND purse IN (cost_purse(NULL), cost_purse(attempt.client));
    RETURN true;
  END $$
`

export const personSteps = `
  CREATE TABLE account (
    user_id text COLLATE "C" PRIMARY KEY,
    organisation text COLLATE "C" NOT NULL
  );
  CREATE TABLE limit_override (
    organisation text COLLATE "C" PRIMARY KEY,
    until bigint NOT NULL,
    granted_by text COLLATE "C" NOT NULL,
    reason text COLLATE "C" NOT NULL
  )
`

export const agentSteps = `
  CREATE TABLE message_model (
    decision_code text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    model text COLLATE "C" NOT NULL,
    usage_count bigint NOT NULL DEFAULT 0,
    last_used bigint,
    PRIMARY KEY (decision_code, version)
  );
  CREATE TABLE past_decision (
    position bigint GENERATED ALWAYS AS IDENTITY,
    id text COLLATE "C" NOT NULL,
    business_id text COLLATE "C" NOT NULL,
    user_id text COLLATE "C",
    decided_at bigint NOT NULL,
    -- The words of its summary, each once.
    words text[] NOT NULL,
    record text COLLATE "C" NOT NULL,
    PRIMARY KEY (id, business_id)
  );
  CREATE INDEX past_decision_words ON past_decision USING gin (words);
  CREATE INDEX past_decision_user ON past_decision (user_id);

  CREATE TABLE agent_input (
    input_id text COLLATE "C" PRIMARY KEY,
    source text COLLATE "C" NOT NULL,
    business_id text COLLATE "C" NOT NULL,
    user_id text COLLATE "C",
    input text COLLATE "C" NOT NULL,
    received_at bigint NOT NULL,
    state text COLLATE "C" NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    next_at bigint NOT NULL DEFAULT 0,
    output text COLLATE "C",
    decided_at bigint,
    reviewer text COLLATE "C",
    reviewed_at bigint,
    review_reason text COLLATE "C",
    told_at bigint,
    last_error text COLLATE "C",
    -- Of one that waits: the instance that decides it.
    owner text COLLATE "C"
  );
  CREATE INDEX agent_input_waiting ON agent_input (received_at, input_id) WHERE state = 'waiting';
  CREATE INDEX agent_input_held ON agent_input (business_id, decided_at) WHERE state = 'held';
  CREATE INDEX agent_input_untold ON agent_input (decided_at) WHERE told_at IS NULL AND output IS NOT NULL;
  CREATE INDEX agent_input_user ON agent_input (user_id);

  CREATE TABLE agent_action (
    action_id text COLLATE "C" PRIMARY KEY,
    input_id text COLLATE "C" NOT NULL REFERENCES agent_input ON DELETE CASCADE,
    business_id text COLLATE "C" NOT NULL,
    action text COLLATE "C" NOT NULL,
    rank integer NOT NULL,
    state text COLLATE "C" NOT NULL,
    next_at bigint NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    leased_until bigint NOT NULL DEFAULT 0,
    -- The instance that has leased it.
    owner text COLLATE "C",
    last_error text COLLATE "C",
    ended_at bigint
  );
  CREATE INDEX agent_action_ready ON agent_action (next_at) WHERE state = 'ready';
  CREATE INDEX agent_action_input ON agent_action (input_id);

  CREATE TABLE scheduled_task (
    task_id text COLLATE "C" PRIMARY KEY,
    business_id text COLLATE "C" NOT NULL,
    user_id text COLLATE "C",
    task text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL,
    next_at bigint,
    last_at bigint,
    runs integer NOT NULL DEFAULT 0,
    missed integer NOT NULL DEFAULT 0,
    created_at bigint NOT NULL
  );
  CREATE INDEX scheduled_task_due ON scheduled_task (next_at) WHERE state = 'active'
`

/** What was read from documents. The index of their words is each instance's own, built from here. */
export const knowledgeSteps = `
  CREATE TABLE document (
    document_id text COLLATE "C" PRIMARY KEY,
    organisation text COLLATE "C" NOT NULL,
    -- As it is compared, and as it was written.
    client text COLLATE "C" NOT NULL,
    client_name text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    origin text COLLATE "C" NOT NULL CHECK (origin IN ('folder', 'upload')),
    size_bytes bigint NOT NULL,
    modified_at bigint NOT NULL,
    added_at bigint NOT NULL,
    hash text COLLATE "C",
    state text COLLATE "C" NOT NULL CHECK (state IN ('waiting', 'ready', 'failed')),
    as_of text COLLATE "C" NOT NULL,
    remarks text COLLATE "C" NOT NULL DEFAULT '[]',
    -- The instance in whose inbox its file lies.
    owner text COLLATE "C" NOT NULL,
    -- Of its passages: another number, other passages. 0: it has none yet.
    revision bigint NOT NULL DEFAULT 0,
    UNIQUE (organisation, client, origin, name)
  );
  CREATE TABLE document_passage (
    document_id text COLLATE "C" NOT NULL REFERENCES document ON DELETE CASCADE,
    ordinal integer NOT NULL,
    heading text COLLATE "C" NOT NULL,
    body text COLLATE "C" NOT NULL,
    place text COLLATE "C" NOT NULL,
    PRIMARY KEY (document_id, ordinal)
  );
  -- One row, which counts the changes to what can be found.
  CREATE TABLE knowledge_revision (revision bigint NOT NULL);
  INSERT INTO knowledge_revision VALUES (0)
`

export const auditSteps = `
  CREATE TABLE audit_entry (
    n bigint PRIMARY KEY,
    at bigint NOT NULL,
    actor text COLLATE "C" NOT NULL,
    action text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    details text COLLATE "C" NOT NULL,
    previous text COLLATE "C" NOT NULL,
    hash text COLLATE "C" NOT NULL
  );
  CREATE INDEX audit_entry_actor ON audit_entry (actor);
  CREATE INDEX audit_entry_subject ON audit_entry (subject);
  -- The end of the chain, one row: who locks it is the only one who adds.
  CREATE TABLE audit_tail (n bigint NOT NULL, hash text COLLATE "C" NOT NULL);
  INSERT INTO audit_tail VALUES (0, '');
  CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$;
  CREATE TRIGGER audit_entry_is_never_changed BEFORE UPDATE OR DELETE ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION audit_is_append_only();
  CREATE TRIGGER audit_entry_is_never_emptied BEFORE TRUNCATE ON audit_entry EXECUTE FUNCTION audit_is_append_only();
  -- Whose key signs tokens and the heads of the audit: the same for every instance.
  CREATE TABLE service_key (fingerprint text COLLATE "C" PRIMARY KEY, only_one boolean NOT NULL DEFAULT true UNIQUE CHECK (only_one))
`
