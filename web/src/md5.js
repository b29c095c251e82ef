// MD5 (RFC 1321), because Evernote names resources by it and crypto.subtle has none. It guards against nothing. Loaded only
// for events with media, and only for Evernote.

const SHIFTS = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]]
const SINES = Int32Array.from({ length: 64 }, (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32))

/** The MD5 of a Uint8Array, 32 hex digits. */
export function md5(bytes) {
  const state = Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476)
  const whole = bytes.length & ~63
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at < whole; at += 64) block(state, view, at)
  // the rest, a one bit, zeros, and the length in bits
  const left = bytes.length - whole
  const end = new Uint8Array(left < 56 ? 64 : 128)
  end.set(bytes.subarray(whole))
  end[left] = 0x80
  const tail = new DataView(end.buffer)
  tail.setUint32(end.length - 8, bytes.length << 3, true)
  tail.setUint32(end.length - 4, Math.floor(bytes.length / 2 ** 29), true)
  for (let at = 0; at < end.length; at += 64) block(state, tail, at)
  return Array.from(new Uint8Array(state.buffer), (b) => b.toString(16).padStart(2, '0')).join('')
}

const words = new Int32Array(16)

function block(state, view, at) {
  for (let i = 0; i < 16; i++) words[i] = view.getInt32(at + 4 * i, true)
  let [a, b, c, d] = state
  for (let i = 0; i < 64; i++) {
    const round = i >> 4
    let f, word
    if (round === 0) {
      f = (b & c) | (~b & d)
      word = i
    } else if (round === 1) {
      f = (d & b) | (~d & c)
      word = (5 * i + 1) & 15
    } else if (round === 2) {
      f = b ^ c ^ d
      word = (3 * i + 5) & 15
    } else {
      f = c ^ (b | ~d)
      word = (7 * i) & 15
    }
    const sum = (a + f + SINES[i] + words[word]) | 0
    const by = SHIFTS[round][i & 3]
    a = d
    d = c
    c = b
    b = (b + ((sum << by) | (sum >>> (32 - by)))) | 0
  }
  state[0] += a
  state[1] += b
  state[2] += c
  state[3] += d
}
