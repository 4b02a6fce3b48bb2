// What the fake bridge holds: meetings as a cloud consultant has them. Figures in it are examples of form, not facts about prices.
import type { Message, Session } from '../../src/shared/domain.ts'
import type { Citation, Notice, QuickAction } from '../../src/shared/turn.ts'

export interface Exchange {
  readonly question: string
  readonly answer: string
  readonly quickAction?: QuickAction
  readonly citations?: readonly Citation[]
  readonly notices?: readonly Notice[]
}

const local: Notice = { kind: 'local', text: 'Answered from the built-in knowledge on this machine. No language model was asked.' }

export const exchanges: readonly Exchange[] = [
  {
    question: 'How do I choose between RDS Multi-AZ and read replicas?',
    answer: `**Use Multi-AZ for availability and read replicas for read capacity.** They solve different problems and are often used together. [1]

| | Multi-AZ instance | Read replica |
|---|---|---|
| Purpose | Survive the loss of a zone | Serve more reads |
| Replication | Synchronous | Asynchronous |
| Readable | No | Yes, slightly behind |
| Failover | Automatic | Promote by hand |

For the claims database the question to ask is the recovery target:

- A target of **minutes** without data loss needs Multi-AZ. [1]
- Reports that slow down the day's work need a replica, pointed at by the reporting tool alone. [2]
- A replica in another Region serves as a start for disaster recovery, with the lag that asynchronous copying has. [2]

Multi-AZ *DB clusters* with two readable standbys combine both, for MySQL and PostgreSQL. [3]`,
    citations: [
      {
        n: 1,
        title: 'Configuring and managing a Multi-AZ deployment',
        source: 'Amazon RDS User Guide',
        date: '2025-09-30',
        url: 'https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.MultiAZ.html',
        excerpt:
          'In an Amazon RDS Multi-AZ deployment, Amazon RDS creates a standby DB instance in a different Availability Zone. Changes in the primary are replicated synchronously to the standby.'
      },
      {
        n: 2,
        title: 'Working with DB instance read replicas',
        source: 'Amazon RDS User Guide',
        date: '2025-09-30',
        url: 'https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ReadRepl.html',
        excerpt:
          'A read replica is a read-only copy of a DB instance. You can reduce the load on your primary DB instance by routing queries from your applications to the read replica.'
      },
      {
        n: 3,
        title: 'Multi-AZ DB cluster deployments',
        source: 'Amazon RDS User Guide',
        date: '2025-08-14',
        url: 'https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/multi-az-db-clusters-concepts.html'
      }
    ],
    notices: [local]
  },
  {
    question: 'They say their nightly batch saturates the primary. What do I propose without a rewrite?',
    answer: `Move the batch's *reads* first; it is the change with the least risk.

1. Point the extract queries at a read replica. Most batch tools need only another connection string. [1]
2. Look at the waits before adding size. Performance Insights shows whether it is I/O, locks or CPU:

\`\`\`sql
select wait_event_type, wait_event, count(*)
from pg_stat_activity
where state = 'active'
group by 1, 2
order by 3 desc;
\`\`\`

3. Only then size up, and only for the window. Ask when the batch must be finished; nobody has said so yet.`,
    citations: [
      {
        n: 1,
        title: 'Working with DB instance read replicas',
        source: 'Amazon RDS User Guide',
        date: '2025-09-30',
        url: 'https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ReadRepl.html'
      }
    ],
    notices: [local]
  },
  {
    question: 'What is the strongest argument against your last answer?',
    quickAction: 'counter',
    answer: `That a replica hides the problem. If the batch scans whole tables because indexes are missing, a replica carries the same waste at the price of a second instance. **Check the three slowest statements first**: an index may end the discussion.`,
    notices: [local, { kind: 'masked', text: 'One name was masked before the question left this machine, and put back here.' }]
  },
  {
    question: 'Which levers reduce S3 storage cost for the document archive?',
    answer: `Three levers, in the order in which they usually pay:

1. **Lifecycle rules** move objects that are rarely read to colder classes. [1]
2. **Intelligent-Tiering** where nobody knows the access pattern: it moves objects by itself, for a small monitoring charge per object. [2]
3. **Old versions and unfinished multipart uploads**: an expiry rule for both is safe and often forgotten. [1]

> Cold classes have a minimum storage duration and a retrieval charge. Ask how often auditors read old documents before promising a figure.

The archive holds 41 TB by the client's own count; I have not verified it.`,
    citations: [
      {
        n: 1,
        title: 'Managing the lifecycle of objects',
        source: 'Amazon S3 User Guide',
        date: '2025-10-02',
        url: 'https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lifecycle-mgmt.html',
        excerpt: 'An S3 Lifecycle configuration is a set of rules that define actions that Amazon S3 applies to a group of objects.'
      },
      {
        n: 2,
        title: 'Managing storage costs with Amazon S3 Intelligent-Tiering',
        source: 'Amazon S3 User Guide',
        date: '2025-10-02',
        url: 'https://docs.aws.amazon.com/AmazonS3/latest/userguide/intelligent-tiering.html'
      }
    ],
    notices: [local]
  }
]

export const streamedExchange: Exchange = {
  question: 'What should the cut-over plan for the landing zone contain?',
  answer: `**A cut-over plan is a timetable with a way back.** It names for each step who does it, how long it may take, how one sees that it worked, and until when one can return. [1]

It should contain:

- The **freeze**: from when on nothing changes at the source, and who allows exceptions.
- The **order** of the moves, with the dependencies that were found in discovery.
- A **test for each step** that a person of the business signs, not only the engineers.
- The **point of no return**, with its time and the name of who decides.
- The way back, rehearsed once. A rollback that was never tried is a hope. [2]

Keep name resolution short-lived before the weekend: lower the DNS time to live two days ahead, so that clients follow within minutes.`,
  citations: [
    {
      n: 1,
      title: 'Cutover runbook',
      source: 'AWS Prescriptive Guidance, Large migrations',
      date: '2025-06-11',
      url: 'https://docs.aws.amazon.com/prescriptive-guidance/latest/large-migration-portfolio-playbook/welcome.html',
      excerpt: 'A cutover runbook lists every task of the cutover in order, with owner, start, duration and the check that proves it.'
    },
    {
      n: 2,
      title: 'Operational Excellence Pillar',
      source: 'AWS Well-Architected Framework',
      date: '2025-04-22',
      url: 'https://docs.aws.amazon.com/wellarchitected/latest/operational-excellence-pillar/welcome.html'
    }
  ],
  notices: [local]
}

const HOUR = 3_600_000
const DAY = 24 * HOUR

export function seedSessions(now: number): Session[] {
  const make = (id: string, ago: number, details: Partial<Session>): Session => ({
    id, title: '', clientName: '', meetingType: '', projectContext: '', serviceTypes: [], cloudProviders: [], customFields: {}, notes: '', status: 'active', pinned: false,
    createdAt: now - ago - 2 * HOUR, updatedAt: now - ago, lastActivityAt: now - ago, expiresAt: null, messageCount: 0, ...details
  }) // prettier-ignore
  return [
    make('s-claims', 4 * 60_000, {
      title: 'Claims platform: database options', clientName: 'Nordhavn Insurance', meetingType: 'Architecture review', cloudProviders: ['AWS'], serviceTypes: ['Architecture', 'Migration'], pinned: true,
      projectContext: 'Claims handling on PostgreSQL 13, on premises, 1.2 TB. Recovery target 15 minutes, no data loss. Move to AWS by the third quarter.',
      customFields: { 'Account manager': 'Ingrid Solheim', Purchase: 'NH-2291' },
      notes: 'Their DBA is sceptical about managed services. Let him ask first.\n\nOpen: when must the nightly batch be finished?'
    }),
    make('s-landing', 3 * HOUR, { title: 'Landing zone, second workshop', clientName: 'Meridian Bank', meetingType: 'Discovery workshop', cloudProviders: ['Azure'], pinned: true }),
    make('s-cost', 26 * HOUR, { title: 'Storage and compute spend', clientName: 'Halvorsen Retail', meetingType: 'Cost review', cloudProviders: ['AWS', 'Google Cloud'] }),
    make('s-archive', 2 * DAY, { title: 'Five years of weekly calls', clientName: 'Orbis Logistics', meetingType: 'Weekly call', cloudProviders: ['AWS'] }),
    make('s-sec', 5 * DAY, { title: 'Findings before the audit', clientName: 'Castellan Health', meetingType: 'Security review', cloudProviders: ['Azure'] }),
    make('s-mig', 9 * DAY, { title: 'Mainframe exit: what moves first', clientName: 'Meridian Bank', meetingType: 'Migration planning', cloudProviders: ['Google Cloud'] }),
    make('s-data', 20 * DAY, { title: 'Lakehouse or warehouse', clientName: 'Halvorsen Retail', meetingType: 'Architecture review', cloudProviders: ['Google Cloud'] }),
    make('s-old', 120 * DAY, { title: 'Kick-off', clientName: 'Nordhavn Insurance', meetingType: 'Kick-off', status: 'archived' })
  ] // prettier-ignore
}

/** A question and its answer as two stored messages. */
export function storedExchange(
  exchange: Exchange,
  place: { readonly sessionId: string; readonly position: number; readonly at: number }
): [Message, Message] {
  const turnId = `turn-${place.sessionId}-${place.position}`
  const common = { sessionId: place.sessionId, turnId }
  return [
    {
      ...common, id: `${place.sessionId}-q${place.position}`, role: 'user', text: exchange.question, createdAt: place.at, position: place.position, quickAction: exchange.quickAction ?? null,
      delivery: { state: 'settled', attempts: 1, nextAttemptAt: null, needsConfirmation: false, error: null }, answer: null
    },
    {
      ...common, id: `${place.sessionId}-a${place.position}`, role: 'assistant', text: exchange.answer, createdAt: place.at + 1_400, position: place.position + 1, quickAction: null, delivery: null,
      answer: {
        state: 'done', citations: [...(exchange.citations ?? [])], notices: [...(exchange.notices ?? [])], error: null, finish: 'stop', lastSeq: 40,
        usage: { provider: 'local', model: 'knowledge-bm25', inputTokens: 41, outputTokens: 220, cachedTokens: 0, costMicros: 0, firstTextMs: 38, totalMs: 240, failovers: 0 }
      }
    }
  ] // prettier-ignore
}

const topics = [
  'egress charges',
  'the Direct Connect order',
  'patch windows',
  'tagging policy',
  'the Kubernetes upgrade',
  'backup restores',
  'Savings Plans coverage',
  'queue depth alarms',
  'the S3 inventory report',
  'IAM access reviews'
]
const asks = [
  'What did we agree about',
  'What is best practice for',
  'How would you explain',
  'Which risk is left with',
  'What does it cost to change'
]
const replies = [
  'Agree on an owner first; without one the figure moves every month. The current state is in the inventory of last week, and the change can wait for the next window.',
  'Keep it simple: one rule, one alarm, one person. Everything else can follow when the first month has shown what happens.\n\n- Name the owner\n- Set the date\n- Say what is measured',
  'The risk is not the change but the way back. Rehearse the restore once, with the clock running, and write down how long each step took.',
  'Look at the bill by usage type before anything else. In most accounts three lines make up two thirds of the total.'
]

/** Alternating questions and answers of a long-running session. */
export function longTranscript(sessionId: string, count: number, now: number): Message[] {
  const messages: Message[] = []
  for (let index = 0; index < count / 2; index += 1) {
    const topic = topics[index % topics.length] ?? ''
    const exchange: Exchange = {
      question: `${asks[index % asks.length] ?? ''} ${topic}? (call ${index + 1})`,
      answer: `On **${topic}**: ${replies[index % replies.length] ?? ''}`,
      notices: [local]
    }
    messages.push(...storedExchange(exchange, { sessionId, position: index * 2 + 1, at: now - 2 * DAY - (count / 2 - index) * 8 * HOUR }))
  }
  return messages
}
