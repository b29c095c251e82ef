import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakePage, load, stub } from './fakes.mjs'

const { watchPage } = await load('page.js')

// watch writes down what is told.
function watch() {
  const told = []
  const end = watchPage({
    clicked: () => told.push('clicked'), shown: (on) => told.push(`shown ${on}`), left: () => told.push('left'),
    hid: () => told.push('hid'), froze: () => told.push('froze'), thawed: () => told.push('thawed'),
  })
  return { end, told: () => told.splice(0).join(', ') }
}

const pageshow = (persisted) => Object.assign(new Event('pageshow'), { persisted })

// What the browser says, who hears it, and what the outbox is told.
const signs = [
  ['a finger comes down', ({ page }) => page.dispatchEvent(new Event('pointerdown')), 'clicked'],
  ['a click (or the Enter key)', ({ page }) => page.dispatchEvent(new Event('click')), 'clicked'],
  ['another app comes to the front', ({ page }) => visibility(page, 'hidden'), 'shown false, left'],
  ['back to this one', ({ page }) => visibility(page, 'visible'), 'shown true'],
  ['the page is being left', ({ window }) => window.dispatchEvent(new Event('pagehide')), 'left, hid'],
  ['back from the cache', ({ window }) => window.dispatchEvent(pageshow(true)), 'thawed'],
  ['the first load, which opened the outbox itself', ({ window }) => window.dispatchEvent(pageshow(false)), ''],
  ['the browser freezes a page in the background', ({ page }) => page.dispatchEvent(new Event('freeze')), 'froze'],
  ['and lets it run again', ({ page }) => page.dispatchEvent(new Event('resume')), 'thawed'],
]

function visibility(page, state) {
  page.visibilityState = state
  page.dispatchEvent(new Event('visibilitychange'))
}

test('every sign of the page is told, and none twice', (t) => {
  const fake = fakePage(t)
  const { told } = watch()
  assert.equal(told(), '', 'nothing by itself')
  for (const [name, sign, want] of signs) {
    sign(fake)
    assert.equal(told(), want, name)
  }
})

test('C7: clicks are heard on their way down, before a handler of the page can stop them, and never hold up scrolling', (t) => {
  const { page } = fakePage(t)
  const added = t.mock.method(page, 'addEventListener')
  watch()
  for (const sign of ['pointerdown', 'click']) {
    const { arguments: [, , options] } = added.mock.calls.find(({ arguments: [type] }) => type === sign)
    assert.deepEqual([options.capture, options.passive], [true, true], sign)
  }
})

test('ending removes every listener, of this watch only', (t) => {
  const fake = fakePage(t)
  const [first, second] = [watch(), watch()]
  const both = fake.listening()
  first.end()
  first.end()
  assert.equal(fake.listening(), both / 2)
  for (const [name, sign, want] of signs) {
    sign(fake)
    assert.equal(first.told(), '', name)
    assert.equal(second.told(), want, name)
  }
  second.end()
  assert.equal(fake.listening(), 0)
})

test('where there is no document nothing is told, and ending is harmless', (t) => {
  for (const [where, page] of [['a worker, Node', undefined], ['a document without events', {}], ['none', null]]) {
    stub(t, 'document', page)
    stub(t, 'addEventListener', () => assert.fail(`${where}: listens`))
    const { end, told } = watch()
    end()
    assert.equal(told(), '', where)
  }
})
