import 'liff-keep/status'
import wasm from 'liff-keep/keep.wasm?url'
import { archive } from '../archive.js'

archive({ wasm })
