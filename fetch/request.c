/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* fetch/request.c - see request.h.
 *
 * Each request has a multi handle to itself: no connection, address or TLS
 * session of one host can ever serve another, and ending a request frees all
 * that it knew. */
#include "fetch/request.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tls/san.h"

#define HEADERS_MAX	32768	/* bytes of all headers */
#define URL_SIZE	1024

struct request {
	struct loop		*loop;
	request_done_cb		*done;
	void			*arg;
	CURLM			*multi;
	CURL			*easy;
	struct curl_slist	*resolve;
	struct loop_timer	*timer;
	struct buf		 body;
	size_t			 header_bytes;
	bool			 special_ok;
	bool			 san_seen;	/* the certificate has a DNS-ID */
	enum fetched		 broken;	/* a guard stopped it; OK: none */
	char			 error[CURL_ERROR_SIZE];
};

/* ---- the loop, as libcurl wants it ---- */

static void	drive(struct request *, curl_socket_t, int events);

struct watch {
	struct request	*request;
	struct loop_io	*io;
};

static void
on_socket(void *arg, int events)
{
	struct watch *w = arg;
	int what = (events & LOOP_READ ? CURL_CSELECT_IN : 0) |
	    (events & LOOP_WRITE ? CURL_CSELECT_OUT : 0);

	drive(w->request, loop_io_fd(w->io), what);
}

static void
watch_end(struct watch *w)
{
	(void)loop_io_release(&w->io);	/* the socket is libcurl's */
	free(w);
}

static struct watch *
watch_new(struct request *r, curl_socket_t s)
{
	struct watch *w = calloc(1, sizeof *w);

	if (w == NULL)
		return NULL;
	w->request = r;
	w->io = loop_io_new(r->loop, s, on_socket, w);
	if (w->io == NULL || curl_multi_assign(r->multi, s, w) != CURLM_OK) {
		if (w->io != NULL)
			(void)loop_io_release(&w->io);
		free(w);
		return NULL;
	}
	return w;
}

static int
socket_changed(CURL *easy, curl_socket_t s, int what, void *arg, void *socketp)
{
	struct request *r = arg;
	struct watch *w = socketp;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (w != NULL)
			watch_end(w);
		return 0;
	}
	if (w == NULL && (w = watch_new(r, s)) == NULL)
		return -1;
	return loop_io_watch(w->io,
	    (what & CURL_POLL_IN ? LOOP_READ : 0) |
	    (what & CURL_POLL_OUT ? LOOP_WRITE : 0));
}

static int
timer_changed(CURLM *multi, long ms, void *arg)
{
	struct request *r = arg;

	(void)multi;
	if (ms < 0)
		loop_timer_stop(r->timer);
	else
		loop_timer_set(r->timer, (uint64_t)ms);
	return 0;
}

static void
on_timer(void *arg)
{
	drive(arg, CURL_SOCKET_TIMEOUT, 0);
}

/* ---- guards ---- */

static bool
stop(struct request *r, enum fetched what, const char *why)
{
	r->broken = what;
	(void)snprintf(r->error, sizeof r->error, "%s", why);
	return false;
}

/* The last look before a socket is made: whatever led to this address. */
static curl_socket_t
open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct request *r = arg;
	struct addr a = { 0 };

	(void)purpose;
	addr_from_sockaddr(&a, &to->addr);
	if (!r->special_ok && addr_is_special(&a)) {
		(void)stop(r, FETCHED_ADDRESS,
		    "the host has a loopback or private address");
		return CURL_SOCKET_BAD;
	}
	return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/* libcurl compares the name, but lets a common name stand in for a missing
 * DNS-ID; RFC 8461 sec 3.3 does not. */
static bool
san_ok(struct request *r)
{
	const struct curl_tlssessioninfo *tls = NULL;

	if (r->san_seen)
		return true;
	if (curl_easy_getinfo(r->easy, CURLINFO_TLS_SSL_PTR, &tls) != CURLE_OK ||
	    tls == NULL || tls->backend != CURLSSLBACKEND_GNUTLS ||
	    !tls_peer_has_dns_name(tls->internals))
		return stop(r, FETCHED_CERTIFICATE,
		    "the certificate names no host in a DNS-ID");
	r->san_seen = true;
	return true;
}

static size_t
take_header(char *p, size_t size, size_t n, void *arg)
{
	struct request *r = arg;

	(void)p, (void)size;
	r->header_bytes += n;
	if (r->header_bytes > HEADERS_MAX) {
		(void)stop(r, FETCHED_TOO_LARGE, "too many headers");
		return 0;
	}
	return san_ok(r) ? n : 0;
}

/* Counted here: libcurl's own limit does not see a chunked body's size. */
static size_t
take_body(char *p, size_t size, size_t n, void *arg)
{
	struct request *r = arg;

	(void)size;
	if (buf_add(&r->body, p, n) != 0) {
		(void)stop(r, FETCHED_TOO_LARGE, "larger than is allowed");
		return 0;
	}
	return n;
}

/* ---- the end ---- */

static void
request_free(struct request *r)
{
	if (r->easy != NULL && r->multi != NULL)
		(void)curl_multi_remove_handle(r->multi, r->easy);
	if (r->easy != NULL)
		curl_easy_cleanup(r->easy);
	/* Last: closing what is left open tells of each socket. */
	if (r->multi != NULL)
		(void)curl_multi_cleanup(r->multi);
	curl_slist_free_all(r->resolve);
	loop_timer_close(&r->timer);
	buf_free(&r->body);
	free(r);
}

static bool
is_text_plain(const char *type)
{
	struct span rest = span_str(type);

	return span_ieq(span_trim(span_cut(&rest, ';')), SPAN_LIT("text/plain"));
}

static enum fetched
judge_error(CURLcode code)
{
	switch (code) {
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
		return FETCHED_CERTIFICATE;
	default:
		return FETCHED_UNREACHABLE;
	}
}

static void
judge(struct request *r, CURLcode code, struct request_result *result)
{
	const char *type = NULL;
	long status = 0;

	(void)curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(r->easy, CURLINFO_CONTENT_TYPE, &type);
	*result = (struct request_result){ .why = r->error,
	    .status = status > 0 && status < 1000 ? (unsigned)status : 0 };
	if (r->broken != FETCHED_OK) {
		result->what = r->broken;
	} else if (code != CURLE_OK) {
		result->what = judge_error(code);
		if (r->error[0] == '\0')
			result->why = curl_easy_strerror(code);
	} else if (status != 200) {
		result->what = FETCHED_STATUS;
		(void)snprintf(r->error, sizeof r->error, "HTTP status %ld",
		    status);
	} else if (!is_text_plain(type)) {
		result->what = FETCHED_TYPE;
		(void)snprintf(r->error, sizeof r->error,
		    "media type is %.100s", type == NULL ? "missing" : type);
	} else {
		result->body = buf_get(&r->body);
		result->why = "";
	}
}

static void
drive(struct request *r, curl_socket_t s, int events)
{
	struct request_result result;
	struct CURLMsg *m;
	int running, left;

	(void)curl_multi_socket_action(r->multi, s, events, &running);
	while ((m = curl_multi_info_read(r->multi, &left)) != NULL) {
		if (m->msg != CURLMSG_DONE)
			continue;
		judge(r, m->data.result, &result);
		r->done(r->arg, &result);
		request_free(r);
		return;
	}
}

/* ---- the start ---- */

int
request_library_init(void)
{
	return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : -1;
}

/* HOST:PORT:ADDRESS,ADDRESS... so that libcurl asks no resolver. */
static int
set_addresses(struct request *r, const struct request_setup *s)
{
	char ip[ADDR_TEXT_SIZE];
	struct buf b;

	buf_init(&b, 512 + REQUEST_ADDRS * (ADDR_TEXT_SIZE + 4));
	(void)buf_printf(&b, "%s:%u:", s->host, s->port);
	for (size_t i = 0; i < s->naddrs && i < REQUEST_ADDRS; i++)
		(void)buf_printf(&b, s->addrs[i].family == 6 ? "%s[%s]" :
		    "%s%s", i == 0 ? "" : ",",
		    addr_ip_text(&s->addrs[i], ip));
	if (!b.failed)
		r->resolve = curl_slist_append(NULL, buf_cstr(&b));
	buf_free(&b);
	return r->resolve == NULL ? -1 : 0;
}

#define SET(option, value)	(curl_easy_setopt(r->easy, (option), (value)) != CURLE_OK)

static int
set_up(struct request *r, const struct request_setup *s)
{
	char url[URL_SIZE];
	int n = snprintf(url, sizeof url, "https://%s:%u%s", s->host, s->port,
	    s->path);

	if (n < 0 || (size_t)n >= sizeof url || set_addresses(r, s) != 0)
		return -1;
	return SET(CURLOPT_URL, url) ||
	    SET(CURLOPT_PROTOCOLS_STR, "https") ||
	    SET(CURLOPT_RESOLVE, r->resolve) ||
	    SET(CURLOPT_FOLLOWLOCATION, 0L) ||
	    SET(CURLOPT_PROXY, "") ||		/* nor one of the environment */
	    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) ||
	    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) ||
	    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) ||
	    SET(CURLOPT_CAINFO, s->ca_file) ||
	    SET(CURLOPT_CAPATH, NULL) ||
	    SET(CURLOPT_SSL_VERIFYPEER, 1L) ||
	    SET(CURLOPT_SSL_VERIFYHOST, 2L) ||
	    SET(CURLOPT_NOSIGNAL, 1L) ||
	    SET(CURLOPT_TIMEOUT_MS, (long)s->timeout_ms) ||
	    SET(CURLOPT_USERAGENT, "sealane/" SEALANE_VERSION) ||
	    SET(CURLOPT_ERRORBUFFER, r->error) ||
	    SET(CURLOPT_OPENSOCKETFUNCTION, open_socket) ||
	    SET(CURLOPT_OPENSOCKETDATA, r) ||
	    SET(CURLOPT_HEADERFUNCTION, take_header) ||
	    SET(CURLOPT_HEADERDATA, r) ||
	    SET(CURLOPT_WRITEFUNCTION, take_body) ||
	    SET(CURLOPT_WRITEDATA, r) ? -1 : 0;
}

static int
set_up_multi(struct request *r)
{
	CURLM *m = r->multi;

	return curl_multi_setopt(m, CURLMOPT_SOCKETFUNCTION, socket_changed) ||
	    curl_multi_setopt(m, CURLMOPT_SOCKETDATA, r) ||
	    curl_multi_setopt(m, CURLMOPT_TIMERFUNCTION, timer_changed) ||
	    curl_multi_setopt(m, CURLMOPT_TIMERDATA, r) ||
	    curl_multi_add_handle(m, r->easy) ? -1 : 0;
}

struct request *
request_start(struct loop *loop, const struct request_setup *s,
    request_done_cb *done, void *arg)
{
	struct request *r = calloc(1, sizeof *r);

	if (r == NULL)
		return NULL;
	r->loop = loop;
	r->done = done;
	r->arg = arg;
	r->special_ok = s->special_ok;
	buf_init(&r->body, s->most);
	r->timer = loop_timer_new(loop, on_timer, r);
	r->easy = curl_easy_init();
	r->multi = curl_multi_init();
	if (r->timer == NULL || r->easy == NULL || r->multi == NULL ||
	    set_up(r, s) != 0 || set_up_multi(r) != 0) {
		request_free(r);
		return NULL;
	}
	return r;
}

void
request_cancel(struct request **rp)
{
	struct request *r = *rp;

	*rp = NULL;
	if (r != NULL)
		request_free(r);
}
