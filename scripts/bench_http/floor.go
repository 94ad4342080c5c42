// The floor: a plain reverse proxy of Go's standard library, without any authentication.
package main

import (
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
)

func main() {
	target, err := url.Parse(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		FlushInterval: -1,
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:     &http.Transport{MaxIdleConns: 1024, MaxIdleConnsPerHost: 1024},
	}
	log.Fatal(http.ListenAndServe(os.Args[1], proxy))
}
