/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/hostile/attempts.h - what code that has taken over a role would try.
 * Each returns 0 when it got through, else the errno; some do not return.
 * Nothing is harmed where one gets through. */
#ifndef TESTS_HOSTILE_ATTEMPTS_H
#define TESTS_HOSTILE_ATTEMPTS_H

#include <sys/types.h>

/* Where to look: the state directory, and another process to attack. */
extern const char	*attempt_state;
extern pid_t		 attempt_victim;

/* files */
int	attempt_read_passwd(void);
int	attempt_read_shadow(void);
int	attempt_read_random(void);
int	attempt_read_key(void);		/* state/keys/key, or whatever is there */
int	attempt_make_key(void);
int	attempt_read_spool(void);	/* state/spool/message, the same */
int	attempt_make_spool(void);
int	attempt_move_spool(void);	/* message to damaged/ */
int	attempt_write_ledger(void);	/* opens it, and cuts nothing off */
int	attempt_write_policy(void);
int	attempt_make_state(void);
int	attempt_open_memory(void);	/* of the victim */
int	attempt_open_own_memory(void);

/* sockets */
int	attempt_tcp(void);
int	attempt_tcp6(void);
int	attempt_udp(void);
int	attempt_raw(void);
int	attempt_local(void);
int	attempt_local_datagram(void);
int	attempt_netlink(void);
int	attempt_packet(void);
int	attempt_vsock(void);
int	attempt_pair(void);
int	attempt_connect_dns(void);	/* port 53; refused is through */
int	attempt_connect_https(void);	/* 443 */
int	attempt_connect_forward(void);	/* 1053 */
int	attempt_connect_other(void);	/* 9 */
int	attempt_bind_source(void);	/* port 0 */
int	attempt_listen(void);
int	attempt_filter_socket(void);

/* processes */
int	attempt_exec(void);
int	attempt_fork(void);
int	attempt_trace(void);
int	attempt_process_memory(void);
int	attempt_signal(void);
int	attempt_signal_thread(void);
int	attempt_signal_owner(void);
int	attempt_abort(void);		/* of itself, with SIGABRT ignored */

/* memory and kernel */
int	attempt_map_code(void);
int	attempt_make_code(void);
int	attempt_memory_file(void);
int	attempt_io_uring(void);
int	attempt_bpf(void);
int	attempt_keyring(void);
int	attempt_mount(void);
int	attempt_user_namespace(void);
int	attempt_setuid(void);
int	attempt_set_limit(void);

#endif
