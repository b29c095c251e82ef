package main

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// measures are the relay's Prometheus metrics. Hosts are those of the list, so the labels are bounded.
type measures struct {
	registry *prometheus.Registry
	calls    *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	bytes    *prometheus.CounterVec
	underWay prometheus.Gauge
}

func newMeasures() *measures {
	m := &measures{
		registry: prometheus.NewRegistry(),
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "liffkeep_relay_calls_total",
			Help: "Calls by host and status; host is empty for one that is not on the list."}, []string{"host", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "liffkeep_relay_call_seconds",
			Help: "From a call's first byte to its answer's last.", Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 25}}, []string{"host"}),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "liffkeep_relay_bytes_total",
			Help: "Body bytes by host and direction."}, []string{"host", "direction"}),
		underWay: prometheus.NewGauge(prometheus.GaugeOpts{Name: "liffkeep_relay_calls_under_way",
			Help: "Calls under way; at -max-calls further ones are answered 503."}),
	}
	m.registry.MustRegister(m.calls, m.seconds, m.bytes, m.underWay,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *measures) called(host string, status int, in, out int64, took time.Duration) {
	m.calls.WithLabelValues(host, strconv.Itoa(status)).Inc()
	m.seconds.WithLabelValues(host).Observe(took.Seconds())
	m.bytes.WithLabelValues(host, "in").Add(float64(in))
	m.bytes.WithLabelValues(host, "out").Add(float64(out))
}

// admin serves what operators and balancers ask: /healthz (the process lives), /readyz (it takes calls), /metrics.
func admin(m *measures, ready func() bool) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !ready() {
			draining.write(w)
			return
		}
		_, _ = w.Write([]byte("ready\n"))
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	return mux
}
