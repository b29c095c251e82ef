import { KeepError } from './errors.js'

const recipes = {
  needed: ['AUTH_REQUIRED', 'the user must log in before anything can be sent: call liff.login() (in the LINE app liff.init() does it); what was appended stays on this device and goes by itself afterwards'],
  scope: ['SCOPE_REQUIRED', "the scope keep.write is missing: call liff.permission.requestAll() on the user's next click (outside a LINE MINI App: liff.login()); the new token is read by itself, and what was appended goes then"],
}

/** The error for a status().token other than 'ok'. */
export const authError = (token) => new KeepError(...recipes[token])
