import { useCallback, useSyncExternalStore } from 'react'
import type { Keep, Status } from 'liff-keep'

const last = new WeakMap<Keep, Status>() // React wants the same object until something changes

/** The outbox's status; renders again when it changes: const { pending } = useKeep(liff.$keep) */
export function useKeep(keep: Keep): Status {
  const subscribe = useCallback((changed: () => void) => keep.subscribe((status) => {
    last.set(keep, status)
    changed()
  }), [keep])
  const snapshot = () => last.get(keep) ?? (last.set(keep, keep.status()), last.get(keep)!)
  return useSyncExternalStore(subscribe, snapshot, snapshot)
}
