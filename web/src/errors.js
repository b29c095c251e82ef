/** Every error of this package: a code of a closed list, and a message that names the mend. */
export class KeepError extends Error {
  constructor(code, message, requestId) {
    super(message)
    this.name = 'KeepError'
    this.code = code
    if (requestId) this.requestId = requestId
  }
}

/** A mistake in how the package is called. */
export const wrong = (message) => new KeepError('INVALID_EVENT', message)

/** Refuses a value that is given and is none of the words. */
export function oneOf(name, value, words) {
  if (value !== undefined && !words.includes(value)) throw wrong(`${name} is ${words.map((w) => `'${w}'`).join(' or ')}, not ${JSON.stringify(value)}`)
}

/** A file of this package that is fetched only when it is needed. */
export const part = (loading) => loading.catch((e) => {
  throw new KeepError('INTERNAL', `a file of liff-keep could not be loaded (${e?.message ?? e}): deploy all files of one release together`)
})
