/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* fetch/request.h - one GET over HTTPS, by libcurl on our loop.
 *
 * What it holds to (RFC 8461 sec 3.3, and against a host that means harm):
 * the addresses are given, so nothing is looked up here; no redirect is
 * followed, no proxy, cookie, credential or cache is used; the certificate
 * must be valid and name the host in a DNS-ID, the common name does not count;
 * status 200 and text/plain or nothing; bytes are counted as they come, and
 * one deadline covers all of it. */
#ifndef FETCH_REQUEST_H
#define FETCH_REQUEST_H

#include "base/buf.h"
#include "base/fetched.h"
#include "base/loop.h"
#include "base/net.h"

#define REQUEST_ADDRS	16	/* of a host; more are left out */

struct request;

struct request_setup {
	const char	*host;		/* normal name */
	uint16_t	 port;
	const char	*path;		/* "/..." */
	struct addr	 addrs[REQUEST_ADDRS];
	size_t		 naddrs;
	uint64_t	 timeout_ms;	/* over all */
	size_t		 most;		/* bytes of the body */
	const char	*ca_file;
	bool		 special_ok;	/* loopback and private addresses are */
};

struct request_result {
	enum fetched	 what;
	unsigned	 status;	/* HTTP's; 0: none came */
	struct span	 body;		/* of OK; lent until return */
	const char	*why;		/* for people; "" when OK */
};

/* Exactly once, never from inside request_start(). The request is freed after
 * it returns. */
typedef void	request_done_cb(void *arg, const struct request_result *);

/* Once per process, before the first request.  -1: libcurl will not work. */
int	request_library_init(void);

/* Copies what it needs.  NULL: no memory. */
struct request	*request_start(struct loop *, const struct request_setup *,
		    request_done_cb *, void *arg);
void		 request_cancel(struct request **);	/* no callback follows */

#endif
