import { KeepError } from './errors.js'

/** A file of this package that is fetched only when it is needed. */
export const part = (loading) => loading.catch((e) => {
  throw new KeepError('INTERNAL', `a file of liff-keep could not be loaded (${e?.message ?? e}): deploy all files of one release together`)
})
