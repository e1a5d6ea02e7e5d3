import subprocess
from lab.case import case
@case(seconds=60)
def dbg(lab):
    "x"
    try: lab.postfix("tls")
    except Exception as e: print(e)
    d=lab.dir+"/postfix-tls"
    R=lab.options.postfix
    env={**lab.foreign_env(R),"MAIL_CONFIG":d+"/conf"}
    print(subprocess.run(f"{R}/usr/sbin/postconf -c {d}/conf -n | tail -3; strace -f -o /tmp/fx/tr {R}/usr/lib/postfix/sbin/master -c {d}/conf -d & sleep 2; kill %1; tail -30 /tmp/fx/tr; ls -la {d}/queue {d}",shell=True,env=env,capture_output=True,text=True,executable="/bin/bash"))
