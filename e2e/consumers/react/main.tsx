// A page in StrictMode, whose effects run twice while it is developed: liff.init too.
import { StrictMode, useEffect } from 'react'
import { createRoot } from 'react-dom/client'
import liff from '@line/liff'
import { KeepPlugin, lineKeep } from 'liff-keep'
import { useKeep } from './useKeep'

const query = new URLSearchParams(location.search)
const errors: string[] = []
console.error = (...words) => { errors.push(words.join(' ')) }
const scene = { liff, errors, inits: 0, rendered: 0 }
Object.assign(window, { scene })

liff.use(new KeepPlugin({ destination: lineKeep({ channelId: '1650000001', baseURL: query.get('sandbox')! }) }))

function Outbox() {
  const { pending, delivered, quota, token } = useKeep(liff.$keep)
  scene.rendered++
  const append = () => liff.$keep.append({ conversationId: 'react', messages: [{ from: 'customer', text: '予約' }] })
  return <>
    <p>{pending} wait, {delivered} delivered, {quota.remaining} left, {token}</p>
    <button id="append" onClick={append}>append</button>
    <button id="flush" onClick={() => liff.$keep.flush()}>flush</button>
  </>
}

function App() {
  useEffect(() => {
    scene.inits++
    liff.init({ liffId: query.get('liff')! })
  }, [])
  return <Outbox />
}

createRoot(document.getElementById('root')!).render(<StrictMode><App /></StrictMode>)
