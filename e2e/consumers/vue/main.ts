import { createApp, h } from 'vue'
import liff from '@line/liff'
import { KeepPlugin, lineKeep } from 'liff-keep'
import { useKeep } from './useKeep'

const query = new URLSearchParams(location.search)
Object.assign(window, { scene: { liff } })

liff.use(new KeepPlugin({ destination: lineKeep({ channelId: '1650000001', baseURL: query.get('sandbox')! }) }))
liff.init({ liffId: query.get('liff')! })

createApp({
  setup() {
    const status = useKeep(liff.$keep)
    const append = () => liff.$keep.append({ conversationId: 'vue', messages: [{ from: 'customer', text: '予約' }] })
    return () => [
      h('p', `${status.value.pending} wait, ${status.value.delivered} delivered, ${status.value.quota.remaining} left`),
      h('button', { id: 'append', onClick: append }, 'append'),
      h('button', { id: 'flush', onClick: () => liff.$keep.flush() }, 'flush'),
    ]
  },
}).mount('#root')
