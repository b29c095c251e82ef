import { useSyncExternalStore } from 'react'
import type { Keep, Status } from 'liff-keep'

/** The outbox's status; renders again when it changes: const { pending } = useKeep(liff.$keep) */
export function useKeep(keep: Keep): Status {
  return useSyncExternalStore(keep.subscribe, keep.status, keep.status)
}
