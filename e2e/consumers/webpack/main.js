import 'liff-keep/status' // defines <keep-status>: a bundler must not take it for dead code
import { archive } from '../archive.js'

archive()
