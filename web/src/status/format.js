// Numbers and times as the reader's language writes them.

/** The formatter of one language. `now` and `at` are unix milliseconds of the outbox's clock. */
export function formatter(lang) {
  // a Thai reader's year is of no concern here: no format has one
  const time = new Intl.DateTimeFormat(lang, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
  const second = new Intl.DateTimeFormat(lang, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' })
  const day = new Intl.DateTimeFormat(lang, { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
  const relative = new Intl.RelativeTimeFormat(lang, { numeric: 'always', style: 'long' })
  const number = new Intl.NumberFormat(lang)
  const units = [['B', 1], ['kB', 1e3], ['MB', 1e6], ['GB', 1e9], ['TB', 1e12]]

  const clock = (at, now) => {
    if (new Date(at).toDateString() !== new Date(now).toDateString()) return day.format(at)
    return (Math.abs(at - now) < 600_000 ? second : time).format(at)
  }
  const away = (ms) => {
    const s = Math.max(0, Math.round(ms / 1000))
    if (s < 60) return relative.format(s, 'second')
    if (s < 5400) return relative.format(Math.round(s / 60), 'minute')
    return relative.format(Math.round(s / 3600), 'hour')
  }
  return {
    n: (value) => number.format(value),
    time: (at) => second.format(at),
    minute: (at) => time.format(at),
    /** A moment that has been. */
    clock,
    /** A moment to come, and how far away it is. */
    when: (at, now) => [clock(Math.max(at, now), now), away(at - now)],
    bytes: (value) => {
      const [unit, size] = units.findLast(([, s]) => value >= s) ?? units[0]
      return `${number.format(Math.round(value / size * 10) / 10)} ${unit}`
    },
  }
}
