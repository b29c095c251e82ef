// What is done with rows of the inbox once the user is known. Loaded with the module.
import { size } from './inbox.js'

const all = () => IDBKeyRange.bound('row ', 'row!')

/** Does ask(store) and resolves with the request's result. */
export async function read(inbox, ask) {
  let request
  await inbox.write((store) => { request = ask(store) })
  return request.result
}

/** The rows of a user (undefined: of nobody yet), oldest first; with `refused` those that the outbox refused, else the others. Counts what is kept. */
export async function rowsOf(inbox, user, refused = false) {
  let before // what was put until now is read, what is put meanwhile comes on top
  const every = await read(inbox, (store) => {
    before = inbox.kept
    inbox.kept = { ...before }
    return store.getAll(all())
  })
  const since = (name) => inbox.kept[name] - before[name]
  const mine = every.filter((row) => row.user === user)
  inbox.kept = {
    pending: every.filter((row) => !row.refused && (row.user === user || row.user === undefined)).length + since('pending'),
    bytes: every.reduce((sum, row) => sum + size(row), 0) + since('bytes'),
    refused: mine.filter((row) => row.refused),
  }
  return mine.filter((row) => !row.refused === !refused).sort((a, b) => a.at - b.at)
}

/**
 * Says who the user is. Rows of this tab's session are theirs; other rows that have no user yet are the last known user's,
 * or theirs when there was none, until their own session says otherwise.
 */
export function bind(inbox, { user, database }) {
  const { session } = inbox.options
  return inbox.write((store) => {
    store.get('last').onsuccess = ({ target: { result: last } }) => {
      if (last?.user !== user || last.database !== database) store.put({ user, database }, 'last')
      each(store, (row, cursor) => {
        if (row.session === session && (row.user === undefined || row.guessed)) cursor.update({ ...row, user, guessed: false })
        else if (row.user === undefined) cursor.update({ ...row, user: last?.user ?? user, guessed: true })
      })
    }
  })
}

/** The outbox has the row: it goes, unless it was replaced meanwhile. */
export const drop = (inbox, row) => change(inbox, row, (store, slot) => store.delete(slot))

/** The outbox will not have the row (refused: {code, message, at}), or shall be asked again (undefined). */
export const refuse = (inbox, row, refused) => change(inbox, row, (store, slot) => store.put({ ...row, refused }, slot))

function change(inbox, row, make) {
  const slot = `row ${row.mark}`
  return inbox.write((store) => {
    store.get(slot).onsuccess = ({ target: { result: now } }) => { if (now?.at === row.at) make(store, slot) }
  })
}

/** Deletes what is this user's, and what is of this tab and nobody's yet (log-out). */
export function purge(inbox, user) {
  const { session } = inbox.options
  return inbox.write((store) => {
    store.delete('last')
    for (const whose of [user, '']) store.delete(IDBKeyRange.bound(`key ${whose} `, `key ${whose} \uffff`))
    each(store, (row, cursor) => { if (row.user === user || row.user === undefined && row.session === session) cursor.delete() })
  })
}

function each(store, see) {
  store.openCursor(all()).onsuccess = ({ target: { result: cursor } }) => {
    if (!cursor) return
    see(cursor.value, cursor)
    cursor.continue()
  }
}
