// What the page says, in the person's language.
const en = {
  title: 'Customer desk',
  emulated: 'LINE Keep is emulated per the guide: nothing here reaches LINE.',
  chat: 'Chat',
  send: 'Send',
  say: 'Message',
  end: 'End conversation (archive it)',
  outbox: 'Outbox',
  flush: 'Send now',
  ledger: 'Ledger (CSV)',
  realtime: 'Upload on',
  deadLetters: 'Could not be delivered',
  retry: 'Retry',
  discard: 'Discard',
  files: 'Archive a file of conversations',
  drop: 'Drop a JSON Lines file here, one conversation a line, or choose one',
  sample: 'Load the sample',
  pending: 'pending', sealed: 'sealed', uncertain: 'uncertain', parked: 'parked', dead: 'dead', delivered: 'delivered',
  quota: 'Quota left this minute', breaker: 'Circuit breaker', nextFlush: 'Next upload', token: 'Token', storage: 'Storage used', leader: 'This tab uploads',
  unknown: 'unknown', none: 'none', yes: 'yes', no: 'no', until: 'until',
  kept: 'Kept on this device; it will be uploaded even if you close the page.',
  refusedOne: 'Not accepted',
  archived: (done, total, refused) => `${done} of ${total} kept on this device, ${refused} refused`,
  line: (n) => `line ${n}`,
  greeting: 'Hello, this is the desk. How may I help you?',
  openFailed: 'The outbox could not be opened.',
}
const ja = {
  title: 'お客様窓口',
  emulated: 'LINE Keep はガイドに沿ったエミュレーションです(LINE is emulated per the guide)。LINE には送信されません。',
  chat: 'チャット',
  send: '送信',
  say: 'メッセージ',
  end: '会話を終了',
  outbox: '送信トレイ',
  flush: '今すぐ送信',
  ledger: '台帳(CSV)',
  realtime: 'アップロード',
  deadLetters: '届けられなかったもの',
  retry: '再送',
  discard: '破棄',
  files: '会話ファイルを保管する',
  drop: 'JSON Lines ファイル(1 行 1 会話)をここにドロップ、または選択',
  sample: 'サンプルを読み込む',
  pending: '待機', sealed: '封済み', uncertain: '確認中', parked: '保留', dead: '不達', delivered: '完了',
  quota: '今の 1 分の残り', breaker: '遮断器', nextFlush: '次の送信', token: 'トークン', storage: '使用容量', leader: 'このタブが送信',
  unknown: '不明', none: 'なし', yes: 'はい', no: 'いいえ', until: '〜',
  kept: 'この端末に保存しました。ページを閉じても後で送信されます。',
  refusedOne: '保存できません',
  archived: (done, total, refused) => `${total} 件中 ${done} 件を保存、${refused} 件は不可`,
  line: (n) => `${n} 行目`,
  greeting: 'こんにちは、窓口です。ご用件をどうぞ。',
  openFailed: '送信トレイを開けませんでした。',
}

export const language = navigator.language?.startsWith('ja') ? 'ja' : 'en'
export const words = language === 'ja' ? ja : en

/** Fills every element that has data-word. */
export const fill = (root = document) => {
  document.documentElement.lang = language
  for (const element of root.querySelectorAll('[data-word]')) element.textContent = words[element.dataset.word]
}

/** An error in words: what the module says, with its code. */
export const inWords = (error) => `${error?.code ?? error?.name ?? 'Error'}: ${error?.message ?? error}`
