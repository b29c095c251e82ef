package fleet

import "github.com/prometheus/client_golang/prometheus"

// measures are the fleet's Prometheus metrics. Labels are channels of the configuration, statuses and closed lists.
type measures struct {
	posts       *prometheus.CounterVec
	postSeconds *prometheus.HistogramVec
	accepted    *prometheus.CounterVec
	delivered   *prometheus.CounterVec
	dead        *prometheus.CounterVec
	differs     *prometheus.CounterVec
	calls       *prometheus.CounterVec
	callSeconds *prometheus.HistogramVec
	remaining   *prometheus.GaugeVec
	waiting     *prometheus.GaugeVec
	underWay    *prometheus.GaugeVec
	letters     prometheus.Gauge
	alarm       *prometheus.GaugeVec
	realtime    *prometheus.GaugeVec
}

func newMeasures(r prometheus.Registerer) *measures {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "liffkeep_fleet_" + name, Help: help}, labels)
		r.MustRegister(c)
		return c
	}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "liffkeep_fleet_" + name, Help: help}, labels)
		r.MustRegister(g)
		return g
	}
	seconds := func(name, help string) *prometheus.HistogramVec {
		h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "liffkeep_fleet_" + name, Help: help,
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 25}}, []string{"channel"})
		r.MustRegister(h)
		return h
	}
	letters := prometheus.NewGauge(prometheus.GaugeOpts{Name: "liffkeep_fleet_dead_letters", Help: "Dead letters that wait for a person, of all channels."})
	r.MustRegister(letters)
	return &measures{
		posts:       counter("posts_total", "Posts of phones by status.", "channel", "status"),
		postSeconds: seconds("post_seconds", "A phone's post, from its head to the answer: durable in between."),
		accepted:    counter("accepted_notes_total", "Notes that phones were told are durable.", "channel"),
		delivered:   counter("delivered_notes_total", "Notes that Keep said it has.", "channel"),
		dead:        counter("dead_notes_total", "Notes put among the dead letters, by reason.", "channel", "reason"),
		differs:     counter("sha256_differs_total", "Notes for which Keep named another sha256.", "channel"),
		calls:       counter("keep_calls_total", "Calls of Keep by status; none: no answer.", "channel", "status"),
		callSeconds: seconds("keep_call_seconds", "A call of Keep."),
		remaining:   gauge("quota_remaining", "X-Line-Keep-Quota-Remaining of the last answer.", "channel"),
		waiting:     gauge("queue_batches", "Batches in the queue that no worker has.", "channel"),
		underWay:    gauge("queue_under_way", "Batches that workers have.", "channel"),
		letters:     letters,
		alarm:       gauge("alarm", "1 while the alarm of the guide's section 13.1 shows.", "channel", "alarm"),
		realtime:    gauge("realtime", "0 while the kill switch keeps calls back.", "channel"),
	}
}
