/**
 * liff-keep: a durable outbox for LINE Mini-Apps. Importing it does nothing; openKeep starts it.
 * Times are unix milliseconds, sizes are bytes, durations are milliseconds, unless a name says otherwise.
 */

/** Where notes go; made by {@link lineKeep}, {@link googleChat} or {@link evernote}. */
export interface Destination {
  readonly service: 'line' | 'chat' | 'evernote'
  /** LINE's channel, Chat's space, or Evernote's notebook: what the database and the ledger name it by. */
  readonly channelId: string
  readonly baseURL?: string
  readonly tier?: 'miniapp' | 'server'
  readonly maxNoteBytes: number
}

export interface LineKeepOptions {
  /** The channel that is billed. Default: the generic pool, which has a lower quota. */
  channelId?: string | number
  /** Address of the service; https, or http on a loopback address. It has no default: Keep is emulated per the guide. */
  baseURL: string
  /** Whose quota: 'miniapp' 100 requests a minute (the default), 'server' 600. */
  tier?: 'miniapp' | 'server'
  /** The largest note in bytes. Default and most: 2,000,000. */
  maxNoteBytes?: number
}

/** LINE Keep as a destination. Throws KeepError INVALID_EVENT for an address that tokens must not go to. */
export function lineKeep(options: LineKeepOptions): Destination

export interface GoogleChatOptions {
  /** The id of the space, with or without 'spaces/' before it. */
  space: string
  /** Default: https://chat.googleapis.com */
  baseURL?: string
  /** The longest wait of the back-off, in seconds. Default 64. */
  maxBackoff?: 32 | 64
  /** Larger events are refused with TOO_LARGE. Default 2,000,000. */
  maxNoteBytes?: number
}

/** A space of Google Chat. The token is the user's own, with the scope chat.messages.create. It cannot hide or reconcile. */
export function googleChat(options: GoogleChatOptions): Destination

export interface EvernoteOptions {
  /** On the page's own origin, where the relay passes the calls through: Evernote itself cannot be called from a page. */
  noteStoreURL: string
  /** Default: the default notebook. */
  notebookGuid?: string
  /** Begins each note's title. */
  title?: string
  /** Evernote's sandbox: no wait is longer than 15 s. */
  sandbox?: boolean
  /** What your API key may do for one user in an hour. Default 100. */
  callsPerHour?: number
  /** Larger events are refused with TOO_LARGE. Default 800,000. */
  maxNoteBytes?: number
}

/** Evernote, or 印象笔记. One note carries one batch. It cannot hide or reconcile. */
export function evernote(options: EvernoteOptions): Destination

export interface EncryptOptions {
  /**
   * Dotted paths; * is every element of an array, e.g. 'messages.*.text'. The value there, whatever its type, is replaced
   * by {@link EncryptedField}, which is half as large again and 80 bytes. A path that an event lacks encrypts nothing: name a health field in `healthFields` too, then
   * an event in which it is not encrypted is refused. conversationId and messages itself stay readable.
   */
  fields: readonly string[]
  /**
   * AES-GCM, 256 bits, usage 'encrypt'. Yours alone: it is never exported or stored, so keep it where an auditor will find
   * it. One key is good for 2^32 fields.
   */
  key: CryptoKey
}

/**
 * What stands in a note where a field was encrypted. base64url without padding in groups of 12, a dot between two: delete
 * the dots to decode it elsewhere. Bound as additional data: UTF-8 of JSON.stringify([conversationId ?? null, ...path]).
 */
export interface EncryptedField {
  $enc: 'A256GCM'
  /** 12 bytes. */
  iv: string
  /** Ciphertext of the value's JSON, then the tag of 16 bytes. */
  data: string
}

export interface Options {
  destination: Destination
  /** The access token, e.g. () => liff.getAccessToken(). Called on the user's click and for every attempt; never stored. */
  token: () => string | null | undefined | Promise<string | null | undefined>
  /** Whose rows these are; one user's rows are never sent with another's token. Default 'default'. */
  user?: string
  /** Longest wait of an accepted event before it is sent, at least 1,000. Default 300,000. */
  flushEvery?: number
  /** So many messages are sent without waiting longer. Default 400. */
  flushAt?: number
  /** Quiet time in which an append with the same key replaces the one before. Default 200. */
  debounce?: number
  /** 'batch' collects events (the default); 'stream' sends each at once, as far as the limiter allows. */
  mode?: 'batch' | 'stream'
  /**
   * LINE Keep counts the requests of all phones of a Mini-App in one bucket, so a batch waits for a free moment of it (at most some
   * minutes where there is room), steered by what the answers say; flush() asks without waiting for one, once. How many phones share the
   * bucket, e.g. 100,000: new installs then start out as careful as they will have to be; default: learned. false: the bucket is
   * this page's alone, and flushEvery and flushAt decide by themselves.
   */
  fleet?: number | false
  /** A page that is open all day. Numbered seats (0 to total − 1) get a slot of their own each and never meet a 429. */
  seat?: true | { number: number; total: number }
  /** This session was opened from a link that many people got at the same time: it waits longer for its turn. */
  campaign?: boolean
  /** The demand at each hour JST, 24 numbers above 0 with the peak at 1. Default: an evening curve with its peak at 21 h. */
  dayCurve?: readonly number[]
  /**
   * Address of a relay in fleet mode (relay/doc.go), for lineKeep with a channelId: batches go to it, with the same bytes and noteIds, and it
   * answers when they are durable there; it sends them on with the channel's server quota. While it does not answer, everything is kept on this device.
   * With `fallback: 'direct'` it goes straight to LINE meanwhile, once the relay left as many tries in a row unanswered as a batch has
   * (four, 14 s or more); the relay is tried again after pauses of up to 5 minutes. https, or http on a loopback address; name
   * it in connect-src, and the page's origin in the relay's -origins.
   */
  relay?: string | URL | { url: string | URL; fallback?: 'direct' }
  /** Of the IndexedDB transactions. Default 'strict'. */
  durability?: 'strict' | 'relaxed'
  /** Above it append refuses with STORAGE_FULL; what was accepted is never dropped. Default 67,108,864. */
  maxQueueBytes?: number
  /** Names at any depth, or dotted paths (* for array elements), of fields that are refused unless they are encrypted. */
  healthFields?: readonly string[]
  /** Fields that leave the page only as ciphertext. Default: none. */
  encrypt?: EncryptOptions
  /** keep.wasm: address, answer, bytes or module. Default: the file beside this script. */
  wasm?: string | URL | Response | BufferSource | WebAssembly.Module
  /** Integrity of keep.wasm when it is an address, e.g. 'sha384-…'. */
  integrity?: string
  /** Unix milliseconds, for tests. Default Date.now. */
  now?: () => number
  /** A number in [0, 1), for tests. Default: the browser's random source. */
  random?: () => number
}

/**
 * Opens the outbox; resolves when it is open on disk. A failed start rejects and can be tried again:
 * INVALID_EVENT (an option), WASM_UNAVAILABLE, STORAGE_UNAVAILABLE, INTERNAL.
 */
export function openKeep(options: Options): Promise<Keep>

/** Options of {@link KeepPlugin}: those of openKeep, with the token and the user taken from LIFF. */
export interface PluginOptions extends Omit<Options, 'token'> {
  /** Default: () => liff.getAccessToken(). */
  token?: Options['token']
  /** Default: the user of liff.getContext(). Until that is known, appends wait on this device. */
  user?: string
}

/**
 * The plugin for the LIFF SDK. It puts the outbox on liff.$keep, which works at once: before liff.init, and before the module
 * has loaded. Nothing of it rejects or delays liff.init.
 *
 *     liff.use(new KeepPlugin({ destination: lineKeep({ channelId, baseURL }) }))
 *     await liff.init({ liffId })
 *     const receipt = await liff.$keep.append({ conversationId, messages })
 *
 * Throws INVALID_EVENT without a destination, without new, and for a second use with other options.
 */
export class KeepPlugin {
  /** Without options here they are the second argument of liff.use. */
  constructor(options?: PluginOptions)
  readonly name: 'keep'
  /** The SDK calls it. */
  install(context: { liff: object }, options?: Partial<PluginOptions>): Keep
}

/**
 * A copy of a note with its encrypted fields back in the clear; the key needs the usage 'decrypt'. Rejects with
 * INVALID_EVENT for another key, and for a field that was changed or moved to another place or conversation.
 */
export function decryptEvent<T extends object = KeepEvent>(event: object, key: CryptoKey): Promise<T>

export interface Message {
  from?: string
  text?: string
  at?: string | number
  [field: string]: unknown
}

/** A conversation as the page gives it. Any JSON beside messages is kept as it is; noteId is the outbox's to give. */
export interface KeepEvent {
  conversationId?: string
  endedAt?: string | number
  /** At least one. */
  messages: readonly Message[]
  /** Voice memos and pictures: kept with the event, and uploaded before the note that names them by mediaId. */
  media?: readonly Media[]
  [field: string]: unknown
}

/** Its bytes are kept as they are, also with encrypt. What the service does not take is refused with TOO_LARGE at append. */
export interface Media {
  /** Default: the file's name. */
  name?: string
  /** A media type. Default: the blob's own. */
  type?: string
  blob: Blob
}

export interface AppendOptions {
  /**
   * Your own name for the note, at most 200 bytes without white space, quote or backslash; it becomes the noteId. Within
   * the debounce a second append replaces the first, later it is the next version (key.v2). The same event again is no
   * change; with encrypt this holds until the page is reloaded.
   */
  key?: string
}

/** The event is on disk. */
export interface Receipt {
  /** For the ledger and dead letters. Of an append before the module was there it is the noteId, which dead.retry and dead.discard take too. */
  id: string
  /** The note's name at the service. */
  noteId: string
  /** Of the note's JSON. */
  bytes: number
  /** Of the append. */
  at: number
}

export interface FlushResult {
  /** Events sent since flush was called. */
  sent: number
  delivered: number
  pending: number
  parked: number
  dead: number
}

export interface Keep {
  /**
   * Keeps an event; resolves only when it is on disk, so the page may be closed then. The event is read during the call.
   * Rejects with INVALID_EVENT, TOO_LARGE, UNFIT_CONTENT, STORAGE_FULL, STORAGE_UNAVAILABLE, GONE, CLOSED, INTERNAL; the
   * event was not taken then. When the database dies while the event is being written, the promise waits until it is open
   * again and tells which it was. Only where it cannot be opened any more, or the outbox is closed or stops meanwhile, that
   * stays open, and the message says so.
   */
  append(event: KeepEvent, options?: AppendOptions): Promise<Receipt>
  /**
   * Sends now what is there, as far as the limiter allows. Rejects with CLOSED, STORAGE_FULL or STORAGE_UNAVAILABLE (the
   * device takes no change, so nothing may be sent; what was accepted stays and goes by itself later), INTERNAL. What the service refuses
   * with 429 waits for a free moment of the quota then, like all the rest, until flush is called again.
   */
  flush(): Promise<FlushResult>
  /**
   * A snapshot. After close, and while nothing is open, it holds only `now` and `storage` (and `alarms`, when there are any); liff.$keep's
   * holds zeros until the module runs, beside what waits in the inbox.
   */
  status(): Status
  /** Calls fn on change, at most ten times a second; answers the function that ends it. */
  subscribe(fn: (status: Status) => void): () => void
  /**
   * Calls fn when a person is needed before anything can be sent: AUTH_REQUIRED (log in) or SCOPE_REQUIRED (grant the scope).
   * The message says what to call, on the user's next click. Answers the function that ends it.
   */
  onAuth(fn: (error: KeepError) => void): () => void
  /** Makes a note invisible at the service; queued like any write. */
  hide(noteId: string): Promise<Receipt>
  readonly dead: {
    /** Notes that the service will not take, oldest first. */
    list(): Promise<DeadLetter[]>
    /** Sends it again under its old noteId. Rejects with INVALID_EVENT when no dead letter has this id. */
    retry(id: string): Promise<Receipt>
    /** Deletes it; the ledger keeps that it was there. */
    discard(id: string): Promise<Receipt>
  }
  readonly ledger: {
    /** One row an attempt, kept for 30 days: {@link LedgerRow} as json (the default) or ndjson, or a table as csv. */
    export(options?: LedgerOptions): Promise<Blob>
    /** Whether anything accepted is missing, and whether the ledger was touched. Rejects with CLOSED, STORAGE_UNAVAILABLE, INTERNAL. */
    audit(span?: Span): Promise<Audit>
  }
  /**
   * Asks the service whether it has what the ledger says was delivered, and sends again what it lacks; that takes the bytes,
   * which are kept for 48 hours. Rejects with AUTH_REQUIRED, SCOPE_REQUIRED, CLOSED, STORAGE_UNAVAILABLE, INTERNAL.
   */
  reconcile(span?: Span): Promise<{ checked: number, missing: number, resent: number }>
  /** The kill switch for all pages: false = to disk only. Resolves when the page that sends has heard it. */
  realtime(on: boolean): Promise<void>
  /**
   * Deletes this user's rows (log-out); the ledger keeps one row that says how many. Rejects with INTERNAL when the page that
   * sends changed before it answered: call it again. (Every other call is passed on to the next one.)
   */
  purge(): Promise<true>
  /** Releases locks and the database; every call that waits rejects with CLOSED. */
  close(): void
}

/** Unix milliseconds, or Dates. Default: everything. */
export interface Span {
  from?: number | Date
  to?: number | Date
}

export interface LedgerOptions extends Span {
  format?: 'json' | 'ndjson' | 'csv'
}

/**
 * accepted = delivered + pending + parked + dead. Without a span all of it is of now and of everything. With one, delivered,
 * missing, missingRate and longestGap are of the span; pending, parked, dead stay of now (accepted is their sum, so it holds
 * what is still on its way), and chain is always of the whole ledger. A gap belongs to the time of the event behind it, and
 * what is only on disk to the time of the ledger's last row: spans side by side count each gap once.
 */
export interface Audit {
  accepted: number
  /** With a span: notes that rows of the span say were delivered, each once; hides are not among them. */
  delivered: number
  pending: number
  parked: number
  dead: number
  /** Numbers given to what was kept that neither the ledger nor the disk knows any more; 0 is what you want. */
  missing: number
  /** missing / (accepted + missing), 0 to 1. */
  missingRate: number
  /** The most missing numbers in a row. */
  longestGap: number
  chain: {
    /** null: the rows are not chained, or cannot be checked (the page is not served over https). */
    ok: boolean | null
    /** Looked at. */
    rows: number
    /** The n of the first row that does not follow from the one before it: it was changed, or the one before was taken out. */
    brokenAt: number | null
  }
}

export interface LedgerRow {
  /** Counts the rows, without a gap; the order, also where the clock went back. */
  n: number
  at: number
  kind: 'attempt' | 'replaced' | 'retried' | 'discarded' | 'resent' | 'purged'
  api: string
  channelId?: string
  userId?: string
  batch?: string
  /** 1 is the first. */
  attempt?: number
  /** HTTP status; 0: no answer. */
  status?: number
  /** Requests left this minute, when the answer said so. */
  quota_remaining?: number
  /** What LINE support asks for. */
  request_id?: string
  /** The relay answered, not the service: a 202 says that the notes are durable there and owed to the service, not yet that it has them. */
  via?: 'relay'
  events: number
  messages: number
  bytes: number
  note?: string
  /** The notes that the service now has; sha256 is hex, over the note's bytes as sent. */
  notes?: { id: string, noteId: string, sha256?: string }[]
  /** Ids of the dead letters it made, sent again or deleted. */
  dead?: string[]
  /** Ids of notes that a later append with the same key took the place of, within the debounce. */
  replaced?: string[]
  /** Ids of notes that were written again as their next version. */
  rewritten?: string[]
  /** Hex SHA-256 of the chain of row n - 1 ('' for none), a line feed, and this row as in the ndjson, without its chain. */
  chain?: string
}

export interface DeadLetter {
  id: string
  noteId: string
  code: Code
  message: string
  /** Last HTTP status; 0: no answer. */
  status: number
  requestId: string
  at: number
  bytes: number
}

/** accepted = pending + parked + dead + delivered (+ discarded by the page). Counts are of notes and hides. */
export interface Status {
  /** When this was so, by the outbox's clock. */
  now: number
  /** Accepted and neither delivered, parked nor dead. */
  pending: number
  /** Part of pending: in a batch that will not change any more. */
  sealed: number
  /** Part of pending: sent, no answer yet. */
  uncertain: number
  /** Refused for now; tried again later. */
  parked: number
  dead: number
  delivered: number
  /** Part of delivered: taken by the relay, which owes them to the service. */
  relayed: number
  /** Dead letters that the page deleted. */
  discarded: number
  /** On disk; what maxQueueBytes bounds. */
  queueBytes: number
  quota: {
    /** Requests left this minute, as the last answer said. */
    remaining: number
    limit: number
    resetsAt: number | null
    /** Whether the last answer's headers could be read. */
    readable: boolean
    /** Requests left by this device's own count. */
    own: number
  }
  /** What this page's last answers said; it is empty after a reload. */
  recent: {
    /** The time that answers, throttled and throttledPct speak of. */
    minutes: number
    answers: number
    /** Of the answers, 429s. */
    throttled: number
    throttledPct: number
    /** The last ten minutes, oldest first: ten seconds each, those without an answer left out. */
    history: {
      /** Of the last answer in it. */
      at: number
      /** The fewest requests left that an answer named; -1: none could be read. */
      remaining: number
      answers: number
      throttled: number
    }[]
  }
  breaker: {
    state: 'closed' | 'open' | 'half-open'
    consecutive429: number
    until: number | null
  }
  nextFlush: number | null
  /** When what waitsFor names is over; the same instant as nextFlush. */
  until: number | null
  /** What nextFlush waits for; 'moment': a free moment of the bucket that all phones share; '' for nothing, 'module' while liff.$keep has not started (no user yet, or the wasm is on its way). */
  waitsFor: '' | 'scan' | 'look-up' | 'probe' | 'flush' | 'moment' | 'limiter' | 'pause' | 'breaker' | 'token' | 'parked' | 'module'
  /** Which way batches go now; 'direct' with the option relay: it is silent, and they go round it. */
  way: 'relay' | 'direct'
  /** The same for people, in English: 'waiting for a free moment, about 3 min'; '' for nothing. <keep-status> speaks three languages. */
  says: string
  /** 'needed': log in; 'scope': the user must grant the scope. */
  token: 'ok' | 'needed' | 'scope'
  /** Whether this page is the one that sends. */
  leader: boolean
  /** Whether sending is on. */
  realtime: boolean
  /** The service answered 410: the path was retired, append refuses. */
  gone: boolean
  alarms: Alarm[]
  storage: {
    /** The browser will not clear it to make room; absent where it does not say. */
    persisted?: boolean
    /** Of the origin, bytes as the browser estimates them. */
    usage?: number
    /** What the origin may use, bytes. */
    quota?: number
    /** Times the database was lost since the page loaded; it is opened again by itself, at most three times in a row. */
    reopened: number
    /** Times the module stopped since the page loaded. */
    crashes: number
  }
}

/**
 * A sign that a person should look; message says what to do. STORAGE_FAILED: the database was lost and opened again three
 * times in a row without a success (or could not be opened), or the device takes no change, so that this page does not
 * send. Accepted events are on disk; the next call of any method tries again.
 */
export interface Alarm {
  code: 'RATE_429' | 'RETRY_AFTER_LONG' | 'QUOTA_MEAN_LOW' | 'QUOTA_LOW' | 'TELEMETRY' | 'GONE' | 'EXPORT_DUE'
    | 'RELAY_SILENT' | 'SHA256_DIFFERS' | 'STORAGE_DAMAGED' | 'STORAGE_FAILED' | 'NOT_STARTED' | 'INBOX_REFUSED'
  message: string
}

/** The closed list of errors. */
export type Code =
  | 'INVALID_EVENT'
  | 'TOO_LARGE'
  | 'UNFIT_CONTENT'
  | 'STORAGE_FULL'
  | 'STORAGE_UNAVAILABLE'
  | 'WASM_UNAVAILABLE'
  | 'AUTH_REQUIRED'
  | 'SCOPE_REQUIRED'
  | 'GONE'
  | 'CLOSED'
  | 'INTERNAL'

/** Every error of this package; message names the mend. */
export class KeepError extends Error {
  constructor(code: Code, message: string, requestId?: string)
  readonly name: 'KeepError'
  readonly code: Code
  readonly requestId?: string
}

// @ts-ignore: a page without the SDK has no such module
declare module '@line/liff' {
  interface Liff {
    readonly $keep: Keep
  }
}
// @ts-ignore
declare module '@line/liff/core' {
  interface Liff {
    readonly $keep: Keep
  }
}
// @ts-ignore: where the core's interface is declared; the SDK's own modules add to it there, and would hide what is added above
declare module '@liff/core' {
  interface LiffCore {
    readonly $keep: Keep
  }
}
