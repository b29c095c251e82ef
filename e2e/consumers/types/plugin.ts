// Compiled, never run: liff.$keep as a page in TypeScript sees it, with the whole SDK and with the pluggable one.
import liff from '@line/liff'
import core from '@line/liff/core'
import GetAccessTokenModule from '@line/liff/get-access-token'
import { KeepPlugin, lineKeep } from 'liff-keep'
import type { Keep, PluginOptions, Receipt } from 'liff-keep'

const destination = lineKeep({ channelId: '1650000001', baseURL: 'https://keep.example' })
const options: PluginOptions = { destination }

export async function page(): Promise<Receipt> {
  liff.use(new KeepPlugin({ destination }))
  liff.use(new KeepPlugin(), options)
  await liff.init({ liffId: '1650000001-abcdefgh' })
  const keep: Keep = liff.$keep
  keep.onAuth(({ code, message }) => console.log(code, message))
  return liff.$keep.append({ conversationId: 'c', messages: [{ from: 'customer', text: 'a' }] })
}

export async function pluggable(): Promise<number> {
  core.use(new GetAccessTokenModule())
  core.use(new KeepPlugin({ destination, token: () => core.getAccessToken() }))
  return core.$keep.status().pending
}

// @ts-expect-error the destination is required where options are given
new KeepPlugin({})
// @ts-expect-error a class, not a function
KeepPlugin({ destination })
// @ts-expect-error $keep is the SDK's to set
liff.$keep = undefined
