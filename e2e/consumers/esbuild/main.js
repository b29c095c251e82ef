import { archive } from '../archive.js'

archive()
