/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* dns/answer.h - words for answers, shared by resolver and policy. */
#ifndef DNS_ANSWER_H
#define DNS_ANSWER_H

/* RFC 4035 sec 4.3, as libunbound reports it for the whole chain. */
enum dns_status {
	DNS_ERROR,		/* no answer that proves anything: SERVFAIL, time-out, malformed */
	DNS_BOGUS,		/* validation failed: treated as an error, named in the log */
	DNS_INSECURE,
	DNS_SECURE,		/* also secure denial */
	DNS_STATUS_COUNT
};
const char	*dns_status_name(enum dns_status);

#define DNS_TYPE_A	1
#define DNS_TYPE_CNAME	5
#define DNS_TYPE_MX	15
#define DNS_TYPE_AAAA	28

#endif
