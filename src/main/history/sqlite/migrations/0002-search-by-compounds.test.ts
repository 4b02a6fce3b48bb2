import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openStore } from '../../history.sqlite.ts'
import { runSteps } from '../../steps.ts'
import { openDatabase } from '../opening.ts'
import { firstFormat } from './0001-first-format.ts'

const options = { key: new Uint8Array(32).fill(7), clock: { now: () => 1_000 } }

let dataDir: string
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'aside-step-2-'))
})
afterEach(() => rmSync(dataDir, { recursive: true }))

/** As the first format kept them: an indexed question, an answer that is still being written, one that was indexed in part. */
function makeFirstFormat(): void {
  const { db, close } = openDatabase({ ...options, dataDir, migrations: [firstFormat] })
  db.exec(`
    INSERT INTO sessions (number, id, title, client_name, meeting_type, project_context, service_types, cloud_providers, custom_fields, notes, status, pinned, created_at, updated_at, last_activity_at)
      VALUES (1, 's1', 'Old', 'Acme', '', '', '[]', '[]', '{}', '', 'active', 0, 1, 1, 1);
    INSERT INTO messages (position, id, session, role, created_at, indexed_length, text) VALUES
      (2, 'q1', 1, 'user', 1, 20, 'Why is e-mail slow?!'), (3, 'a1', 1, 'assistant', 1, 0, 'Still being written'), (5, 'q2', 1, 'user', 1, 5, 'Early and later');
    INSERT INTO shards (number) VALUES (0), (1);
    CREATE VIRTUAL TABLE search_words_0 USING fts5(words, scope, content = '', columnsize = 0, tokenize = 'ascii', prefix = '2 3 4');
    CREATE VIRTUAL TABLE search_pairs_0 USING fts5(pairs, content = '', columnsize = 0, detail = none, tokenize = 'ascii');
    CREATE VIRTUAL TABLE search_words_1 USING fts5(words, scope, content = '', columnsize = 0, tokenize = 'ascii', prefix = '2 3 4');
    CREATE VIRTUAL TABLE search_pairs_1 USING fts5(pairs, content = '', columnsize = 0, detail = none, tokenize = 'ascii');
    INSERT INTO search_words_0 (rowid, words, scope) VALUES (2, 'why is e mail slow', 's1 ruser'), (5, 'early', 's1 ruser');
    INSERT INTO search_pairs_0 (rowid, pairs) VALUES (2, 'why·is is·e');
  `)
  close()
}

describe('the step to the second format', () => {
  it('indexes again what was indexed, and no more', () => {
    makeFirstFormat()
    const { store, incident } = openStore({ ...options, dataDir })
    const found = (text: string): string[] => runSteps(store.search({ text, limit: 10 })).hits.map((hit) => hit.messageId)
    expect(incident).toBeNull()
    expect([found('email '), found('"why is" '), found('early '), found('later '), found('written ')]).toEqual([['q1'], ['q1'], ['q2'], [], []])
    store.removeSession('s1')
    expect(found('email ')).toEqual([])
    store.close()
  })
})
