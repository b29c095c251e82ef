package outbox

import (
	"strconv"

	"github.com/liff-keep/liff-keep/internal/jsontext"
)

// Media is kept beside the notes: the blob itself in the store, under an id of its own, and what is known of it in the
// entry's line and in the note's bytes. A blob comes and goes in the transactions that its entry comes and goes in.

// MediaRow is one blob on its way to the store. Blob is opaque here.
type MediaRow struct {
	ID   string
	Blob any
}

// checkMedia refuses what the service does not take.
func (l Limits) checkMedia(media []Media) *Refusal {
	var total int64
	for _, m := range media {
		total += m.Bytes
		switch {
		case l.MediaBytes == 0:
			return refuse(InvalidEvent, "this service takes no media: leave event.media out")
		case m.Bytes <= 0:
			return refuse(InvalidEvent, "the media "+m.Name+" is empty")
		case m.Bytes > l.MediaBytes:
			return refuse(TooLarge, "the media "+m.Name+" has "+strconv.FormatInt(m.Bytes, 10)+" bytes, the service takes "+strconv.FormatInt(l.MediaBytes, 10)+": record shorter memos, or send smaller pictures")
		}
	}
	if l.MediaTotal > 0 && total > l.MediaTotal {
		return refuse(TooLarge, "the media of the event have "+strconv.FormatInt(total, 10)+" bytes, a note may have "+strconv.FormatInt(l.MediaTotal, 10)+": split the conversation")
	}
	return nil
}

func mediaBytes(media []Media) (n int64) {
	for _, m := range media {
		n += m.Bytes
	}
	return n
}

func mediaIDs(entries ...Entry) (ids []string) {
	for _, e := range entries {
		for _, m := range e.Media {
			ids = append(ids, m.ID)
		}
	}
	return ids
}

// mediaText is the list as it stands in the note and in the entry's line:
//
//	[{"mediaId":"…","name":"…","type":"…","bytes":1,"sha256":"…"}]    "md5" where the service wants that
func mediaText(media []Media) []byte {
	var w jsontext.Writer
	w.Open('[')
	for _, m := range media {
		w.Open('{')
		w.StringField("mediaId", m.ID)
		w.StringField("name", m.Name)
		w.StringField("type", m.Type)
		w.IntField("bytes", m.Bytes)
		switch len(m.Sum) {
		case 0:
		case 32:
			w.StringField("md5", m.Sum)
		default:
			w.StringField("sha256", m.Sum)
		}
		w.Close('}')
	}
	w.Close(']')
	return w.Text
}

// parseMedia reads what mediaText wrote; ok is false for anything else.
func parseMedia(text []byte) (media []Media, ok bool) {
	r := jsontext.New(text)
	err := r.Array(func() error {
		var m Media
		err := r.Object(func(key []byte) (err error) {
			switch string(key) {
			case "mediaId":
				m.ID, err = r.String()
			case "name":
				m.Name, err = r.String()
			case "type":
				m.Type, err = r.String()
			case "bytes":
				m.Bytes, err = r.Int()
			case "md5", "sha256":
				m.Sum, err = r.String()
			default:
				err = jsontext.ErrSyntax
			}
			return err
		})
		if err == nil && (m.ID == "" || m.Bytes < 0) {
			err = jsontext.ErrSyntax
		}
		media = append(media, m)
		return err
	})
	return media, err == nil && r.End() == nil && len(media) > 0
}

// hash tells the event from another one under its key.
func (d Draft) hash() string {
	if len(d.Media) == 0 {
		return hashText(d.Text)
	}
	return hashText(append(mediaText(d.Media), d.Text...))
}

// summed says whether all media are known by their bytes; a page may have nothing to hash with.
func (d Draft) summed() bool {
	for _, m := range d.Media {
		if m.Sum == "" {
			return false
		}
	}
	return true
}

// attach fixes the note's bytes; its media get their ids from of, and are named in the bytes.
func (e *Entry) attach(d Draft, of string) {
	if len(d.Media) == 0 {
		e.Raw = splice(e.NoteID, d.Text)
		return
	}
	e.Media = append([]Media(nil), d.Media...)
	for i := range e.Media {
		e.Media[i].ID = of + "." + strconv.Itoa(i+1)
	}
	list := append(append([]byte(`{"media":`), mediaText(e.Media)...), ',')
	e.Raw = splice(e.NoteID, append(list, d.Text[1:]...))
}
