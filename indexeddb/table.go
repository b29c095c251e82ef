package indexeddb

import "slices"

// table is an object store in memory: rows ascending by key, one value a key. Values are never changed in place, so a
// clone may share them. Not for concurrent use.
type table[K, V any] struct {
	cmp  func(a, b K) int
	rows []row[K, V]
}

type row[K, V any] struct {
	key K
	val V
}

// from is the index of the first row whose key is at or above k.
func (t *table[K, V]) from(k K) int {
	i, _ := t.find(k)
	return i
}

// beyond is the index of the first row whose key is above k.
func (t *table[K, V]) beyond(k K) int {
	i, found := t.find(k)
	if found {
		i++
	}
	return i
}

func (t *table[K, V]) find(k K) (int, bool) {
	return slices.BinarySearchFunc(t.rows, k, func(r row[K, V], k K) int { return t.cmp(r.key, k) })
}

func (t *table[K, V]) get(k K) (V, bool) {
	i, found := t.find(k)
	if !found {
		var none V
		return none, false
	}
	return t.rows[i].val, true
}

func (t *table[K, V]) put(k K, v V) {
	i, found := t.find(k)
	if found {
		t.rows[i].val = v
		return
	}
	t.rows = slices.Insert(t.rows, i, row[K, V]{k, v})
}

func (t *table[K, V]) drop(k K) {
	if i, found := t.find(k); found {
		t.cut(i, i+1)
	}
}

// cut deletes the rows i ≤ index < j; an empty or inverted span deletes nothing.
func (t *table[K, V]) cut(i, j int) {
	if i < j {
		t.rows = slices.Delete(t.rows, i, j)
	}
}

// span gives the rows i ≤ index < j, at most limit of them; an empty or inverted span gives none.
func (t *table[K, V]) span(i, j, limit int) []row[K, V] {
	if i >= j || limit <= 0 {
		return nil
	}
	return t.rows[i : i+min(limit, j-i)]
}

func (t *table[K, V]) clone() table[K, V] {
	return table[K, V]{t.cmp, slices.Clone(t.rows)}
}
