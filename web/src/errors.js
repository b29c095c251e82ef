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
