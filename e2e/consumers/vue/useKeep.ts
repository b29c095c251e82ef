import { onScopeDispose, shallowReadonly, shallowRef } from 'vue'
import type { Keep } from 'liff-keep'

/** The outbox's status as a ref: const status = useKeep(liff.$keep) */
export function useKeep(keep: Keep) {
  const status = shallowRef(keep.status())
  onScopeDispose(keep.subscribe((now) => { status.value = now }))
  return shallowReadonly(status)
}
