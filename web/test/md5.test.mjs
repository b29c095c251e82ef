import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { md5 } from '../src/md5.js'

const utf8 = (s) => new TextEncoder().encode(s)

// RFC 1321, appendix A.5
for (const [text, sum] of [
  ['', 'd41d8cd98f00b204e9800998ecf8427e'],
  ['a', '0cc175b9c0f1b6a831c399e269772661'],
  ['abc', '900150983cd24fb0d6963f7d28e17f72'],
  ['message digest', 'f96b697d7cb7938d525a2f31aaf161d0'],
  ['abcdefghijklmnopqrstuvwxyz', 'c3fcd3d76192e4007dfb496cca67e13b'],
  ['ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789', 'd174ab98d277d9f5a5611c2c9f419d9f'],
  ['12345678901234567890123456789012345678901234567890123456789012345678901234567890', '57edf4a22be3c955ac49da2e2107b67a'],
]) {
  test(`MD5 of ${JSON.stringify(text)}`, () => assert.equal(md5(utf8(text)), sum))
}

test('MD5 of every length around the blocks, and of a view into a larger buffer, as OpenSSL has it', () => {
  const bytes = Uint8Array.from({ length: 300 }, (_, i) => (i * 167 + 13) & 255)
  for (let n = 0; n < 260; n++) {
    const part = bytes.subarray(n % 7, n % 7 + n)
    assert.equal(md5(part), createHash('md5').update(part).digest('hex'), `${n} bytes`)
  }
})

test('MD5 of a megabyte', () => {
  const bytes = new Uint8Array(1 << 20).map((_, i) => i * i)
  assert.equal(md5(bytes), createHash('md5').update(bytes).digest('hex'))
})
