package outbox

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// LINE guide §8: such data "demands per-field encryption keys that you control": with them it is accepted.
func TestL8_3_AFieldEncryptedWithThePagesKeyIsAccepted(t *testing.T) {
	const good = `{"$enc":"A256GCM","iv":"c7rx0Jf6tW2b.Zm9v","data":"411111111111.1111xx"}`
	for _, row := range []struct{ why, event, code string }{
		{"a health field", `{"messages":[{"symptom":` + good + `}]}`, ""},
		{"a whole message", `{"messages":[` + good + `]}`, ""},
		{"a field of the page that is called data", `{"data":"cough","messages":[{"text":` + good + `}]}`, "UNFIT_CONTENT"},
		{"in the clear", `{"messages":[{"symptom":"cough"}]}`, "UNFIT_CONTENT"},
		{"another algorithm", `{"messages":[{"symptom":{"$enc":"none","iv":"","data":"cough"}}]}`, "UNFIT_CONTENT"},
		{"a member more", `{"messages":[{"symptom":{"$enc":"A256GCM","iv":"","data":"","plain":"cough"}}]}`, "UNFIT_CONTENT"},
		{"a member less", `{"messages":[{"symptom":{"$enc":"A256GCM","iv":""}}]}`, "UNFIT_CONTENT"},
		{"another order", `{"messages":[{"symptom":{"iv":"","$enc":"A256GCM","data":""}}]}`, "UNFIT_CONTENT"},
		{"an object for data", `{"messages":[{"symptom":{"$enc":"A256GCM","iv":"","data":{"x":"cough"}}}]}`, "UNFIT_CONTENT"},
		{"a card number for data", `{"messages":[{"text":{"$enc":"A256GCM","iv":"","data":"4111 1111 1111 1111"}}]}`, "UNFIT_CONTENT"},
	} {
		_, refusal := inspect([]byte(row.event), []string{"symptom", "iv", "data"})
		if row.code == "" {
			require.Nil(t, refusal, row.why)
			continue
		}
		require.NotNil(t, refusal, row.why)
		require.Equal(t, Code(row.code), refusal.Code, row.why)
	}
}
