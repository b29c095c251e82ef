// What the page says, in the person's language: Japanese unless another is chosen.
const ja = {
  title: 'みなと旅館', subtitle: '予約係・オンライン',
  statusButton: '送信状況', drawer: 'この端末の送信トレイ', close: '閉じる', languageName: '言語',
  say: 'メッセージを入力', send: '送信', end: '会話を終了して保管する',
  greeting: 'お問い合わせありがとうございます。みなと旅館でございます。ご用件をお聞かせください。',
  canned: ['承知いたしました。少々お待ちください。', 'お調べいたしました。土曜日は海側のお部屋が一室ございます。', '19 時半でご用意いたします。当日お待ちしております。', 'ほかにご質問はございませんか。'],
  suggested: [['明日の予約を確認したいです', '土曜日に二名で泊まれますか？'], ['海側の部屋はありますか？'], ['夕食は 19 時半でお願いします'], ['大丈夫です。ありがとうございます！']],
  kept: 'この端末に保存しました', keptMore: 'ページを閉じても失われず、次に開いたときに送信されます。', ended: '会話を保管しました', refusedOne: '保存できませんでした',
  tryTitle: '試してみる', tryNote: '何が起きても、保存した会話は失われません。',
  offline: 'オフラインにする', offlineNote: 'この端末の通信を切ります。戻すと送信を再開します。',
  storm: '429 の嵐を起こす', stormNote: 'ほかの端末が利用枠を使い切った状態です。3 回拒否されると夜間まで休止します。',
  refuse: '次の送信を拒否する（413）', forward: '次の送信まで時計を進める',
  files: '会話ファイルを保管する', drop: 'JSON Lines ファイル（1 行 1 会話）をドロップ、または選択', sample: 'サンプルを読み込む',
  emulated: 'LINE Keep はガイドに沿ったエミュレーションです。LINE には送信されません。',
  archived: (done, total, refused) => `${total} 件中 ${done} 件を保存、${refused} 件は不可`,
  line: (n) => `${n} 行目`, openFailed: '送信トレイを開けませんでした。',
}
const en = {
  title: 'Minato Inn', subtitle: 'Reservations · online',
  statusButton: 'Status', drawer: 'Outbox of this device', close: 'Close', languageName: 'Language',
  say: 'Type a message', send: 'Send', end: 'End conversation and archive it',
  greeting: 'Thank you for contacting Minato Inn. How may I help you?',
  canned: ['Certainly, one moment please.', 'I have looked it up: one sea-side room is free on Saturday.', 'Dinner is booked for 7:30 pm. We look forward to your stay.', 'Is there anything else?'],
  suggested: [['I would like to check my booking for tomorrow', 'Is Saturday free for two?'], ['Do you have a room facing the sea?'], ['Dinner at 7:30 pm, please'], ['That is all, thank you!']],
  kept: 'Saved on this device', keptMore: 'Closing the page loses nothing: it is sent when you next open it.', ended: 'Conversation archived', refusedOne: 'Not saved',
  tryTitle: 'Try it', tryNote: 'Whatever happens, a saved conversation is not lost.',
  offline: 'Go offline', offlineNote: 'Cuts this device off. Sending resumes when it is back.',
  storm: 'Raise a storm of 429s', stormNote: 'Other devices use up the quota. After three refusals sending pauses until the night.',
  refuse: 'Refuse the next batch (413)', forward: 'Set the clock to the next sending',
  files: 'Archive a file of conversations', drop: 'Drop a JSON Lines file here, one conversation a line, or choose one', sample: 'Load the sample',
  emulated: 'LINE Keep is emulated per the guide: nothing here reaches LINE.',
  archived: (done, total, refused) => `${done} of ${total} kept on this device, ${refused} refused`,
  line: (n) => `line ${n}`, openFailed: 'The outbox could not be opened.',
}
const th = {
  title: 'โรงแรมมินาโตะ', subtitle: 'แผนกจอง · ออนไลน์',
  statusButton: 'สถานะ', drawer: 'กล่องส่งออกของเครื่องนี้', close: 'ปิด', languageName: 'ภาษา',
  say: 'พิมพ์ข้อความ', send: 'ส่ง', end: 'จบการสนทนาและจัดเก็บ',
  greeting: 'ขอบคุณที่ติดต่อโรงแรมมินาโตะค่ะ มีอะไรให้ช่วยไหมคะ',
  canned: ['รับทราบค่ะ กรุณารอสักครู่นะคะ', 'ตรวจสอบแล้วค่ะ วันเสาร์มีห้องวิวทะเลว่างหนึ่งห้องค่ะ', 'จองอาหารเย็นเวลา 19.30 น. เรียบร้อยแล้วค่ะ', 'มีอะไรให้ช่วยเพิ่มเติมไหมคะ'],
  suggested: [['ขอตรวจสอบการจองของวันพรุ่งนี้ค่ะ', 'วันเสาร์พักสองคนได้ไหมคะ'], ['มีห้องวิวทะเลไหมคะ'], ['ขออาหารเย็นเวลา 19.30 น. ค่ะ'], ['เรียบร้อยแล้วค่ะ ขอบคุณมากค่ะ']],
  kept: 'บันทึกลงเครื่องนี้แล้ว', keptMore: 'ปิดหน้านี้ได้โดยไม่สูญหาย ระบบจะส่งเมื่อเปิดครั้งถัดไป', ended: 'จัดเก็บการสนทนาแล้ว', refusedOne: 'บันทึกไม่สำเร็จ',
  tryTitle: 'ลองดู', tryNote: 'ไม่ว่าเกิดอะไรขึ้น การสนทนาที่บันทึกแล้วจะไม่สูญหาย',
  offline: 'ทำให้ออฟไลน์', offlineNote: 'ตัดการเชื่อมต่อของเครื่องนี้ เมื่อเปิดกลับมาจะส่งต่อ',
  storm: 'จำลองพายุ 429', stormNote: 'เครื่องอื่นใช้โควตาจนหมด เมื่อถูกปฏิเสธสามครั้งจะพักจนถึงกลางคืน',
  refuse: 'ปฏิเสธการส่งครั้งถัดไป (413)', forward: 'เลื่อนเวลาไปยังการส่งครั้งถัดไป',
  files: 'จัดเก็บจากไฟล์การสนทนา', drop: 'วางไฟล์ JSON Lines ที่นี่ (หนึ่งบรรทัดต่อหนึ่งการสนทนา) หรือเลือกไฟล์', sample: 'โหลดตัวอย่าง',
  emulated: 'LINE Keep ในที่นี้เป็นการจำลองตามคู่มือ ไม่มีการส่งไปยัง LINE',
  archived: (done, total, refused) => `บันทึกแล้ว ${done} จาก ${total} รายการ ไม่รับ ${refused} รายการ`,
  line: (n) => `บรรทัดที่ ${n}`, openFailed: 'เปิดกล่องส่งออกไม่ได้',
}
const all = { ja, en, th }
const listeners = new Set()

/** The language, and its words. */
export let language = 'ja'
export let words = ja

/** Calls fn when another language was chosen. */
export const onLanguage = (fn) => { listeners.add(fn) }

const choose = (wanted) => {
  language = Object.hasOwn(all, wanted) ? wanted : 'ja'
  words = all[language]
  document.documentElement.lang = language
  document.title = words.title
  for (const element of document.querySelectorAll('[data-word]')) element.textContent = words[element.dataset.word]
  const name = (selector, text) => document.querySelector(selector).setAttribute('aria-label', text)
  name('#language', words.languageName)
  name('#hide-status', words.close)
  name('#text', words.say)
  name('.send', words.send)
  name('#suggestions', words.say)
  document.querySelector('#text').placeholder = words.say
  document.querySelector('#language').value = language
  document.querySelector('#status').lang = language
  for (const fn of listeners) fn()
}

/** Fills the page with words: of ?lang=, else Japanese; and lets the person choose. */
export const speak = () => {
  choose(new URLSearchParams(location.search).get('lang'))
  document.querySelector('#language').addEventListener('change', ({ target }) => choose(target.value))
}

/** An error in words: what the module says, with its code. */
export const inWords = (error) => `${error?.code ?? error?.name ?? 'Error'}: ${error?.message ?? error}`
