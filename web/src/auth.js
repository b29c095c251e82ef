import { KeepError } from './errors.js'

const recipes = {
  needed: ['AUTH_REQUIRED', 'the user must log in before anything can be sent: call liff.logout(), as the SDK keeps a token that has ended, and liff.login() (in the LINE app liff.init() does it); what was appended stays on this device and goes by itself afterwards'],
  module: ['AUTH_REQUIRED', 'liff.getAccessToken is missing: with @line/liff/core call liff.use(new GetAccessTokenModule()) before liff.init, or pass new KeepPlugin({destination, token})'],
  scope: ['SCOPE_REQUIRED', "the scope keep.write is missing: call liff.permission.requestAll() on the user's next click (outside a LINE MINI App: liff.logout() and liff.login()); the new token is read by itself, and what was appended goes then"],
}

/** The error for a status().token other than 'ok', and for an SDK without the module that gives tokens. */
export const authError = (token) => new KeepError(...recipes[token])
