package main

import (
	"bytes"
	"crypto/md5"
	"regexp"
	"unicode/utf8"
)

// Patterns of Limits.thrift.
var (
	titlePattern = regexp.MustCompile(`^[^\p{Cc}\p{Z}]([^\p{Cc}\p{Zl}\p{Zp}]{0,253}[^\p{Cc}\p{Z}])?$`)
	mimePattern  = regexp.MustCompile(`^[A-Za-z]+/[A-Za-z0-9._+-]+$`)
	attrPattern  = regexp.MustCompile(`^[^\p{Cc}\p{Zl}\p{Zp}]+$`)
)

// checkNote returns what createNote throws for a note, nil when it takes it.
func checkNote(n *edamNote) *edamThrown {
	user := func(code int32, parameter string) *edamThrown {
		return &edamThrown{class: 1, code: code, parameter: parameter}
	}
	switch {
	case n.guid != "":
		return user(edamBadDataFormat, "Note.guid")
	case n.title == nil:
		return user(edamDataRequired, "Note.title")
	case utf8.RuneCountInString(*n.title) > titleCap || !utf8.ValidString(*n.title) || !titlePattern.MatchString(*n.title):
		return user(edamBadDataFormat, "Note.title")
	case n.content == nil:
		return user(edamDataRequired, "Note.content")
	case utf8.RuneCountInString(*n.content) > contentCap || !utf8.ValidString(*n.content):
		return user(edamBadDataFormat, "Note.content")
	case n.notebookGUID != "" && n.notebookGUID != defaultNotebook:
		return &edamThrown{class: 3, parameter: "Note.notebookGuid", key: n.notebookGUID}
	case len(n.resources) > resourceCount:
		return user(edamLimitReached, "Note.resources")
	}
	size := len(*n.content)
	for _, r := range n.resources {
		sum := md5.Sum(r.body)
		switch {
		case !r.hasData:
			return user(edamDataRequired, "Resource.data")
		case !mimePattern.MatchString(r.mime) || len(r.mime) > 255:
			return user(edamBadDataFormat, "Resource.mime")
		case !bytes.Equal(r.hash, sum[:]):
			return user(edamBadDataFormat, "Resource.data.bodyHash")
		case r.fileName != "" && (len(r.fileName) > attributeCap || !attrPattern.MatchString(r.fileName)):
			return user(edamBadDataFormat, "ResourceAttributes.fileName")
		}
		size += len(r.body)
	}
	if size > edamNoteCap {
		return user(edamLimitReached, "Note.size")
	}
	for id, value := range n.attributes {
		if value == "" || len(value) > attributeCap || !attrPattern.MatchString(value) {
			return user(edamBadDataFormat, "NoteAttributes."+statusText(int(id)))
		}
	}
	if err := checkENML(*n.content, n.resources); err != nil {
		return user(edamENMLValidation, err.Error())
	}
	return nil
}
