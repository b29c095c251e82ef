package linekeep

import "time"

const months = "JanFebMarAprMayJunJulAugSepOctNovDec"

// httpDate reads the one date form of HTTP today, "Sun, 06 Nov 1994 08:49:37 GMT". time.Parse would add its whole
// formatter to the module.
func httpDate(text string) (time.Time, bool) {
	const form = "Sun, 06 Nov 1994 08:49:37 GMT"
	if len(text) != len(form) || text[3:5] != ", " || text[7] != ' ' || text[11] != ' ' || text[16] != ' ' ||
		text[19] != ':' || text[22] != ':' || text[25:] != " GMT" {
		return time.Time{}, false
	}
	month := 0
	for month < 12 && months[3*month:3*month+3] != text[8:11] {
		month++
	}
	var n [5]int
	for i, s := range []string{text[5:7], text[12:16], text[17:19], text[20:22], text[23:25]} {
		for _, c := range []byte(s) {
			if c < '0' || c > '9' {
				return time.Time{}, false
			}
			n[i] = 10*n[i] + int(c-'0')
		}
	}
	if month == 12 || n[0] < 1 || n[0] > 31 || n[2] > 23 || n[3] > 59 || n[4] > 60 {
		return time.Time{}, false
	}
	return time.Date(n[1], time.Month(month+1), n[0], n[2], n[3], n[4], 0, time.UTC), true
}
