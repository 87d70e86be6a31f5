# Completion of dory(1) for bash. Where the completion of scp is there, `dory scp` uses it, remote files included.

_dory_scp()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
    if declare -F _scp > /dev/null || { declare -F _completion_loader > /dev/null && _completion_loader scp; declare -F _scp > /dev/null; }; then
        local COMP_WORDS=(scp "${COMP_WORDS[@]:2}") COMP_CWORD=$((COMP_CWORD - 1))
        local COMP_LINE=${COMP_LINE#* } COMP_POINT=$((COMP_POINT - 5))
        _scp
        return
    fi
    case $prev in
    -c) COMPREPLY=($(compgen -W 'chacha20-poly1305@openssh.com aes256-gcm@openssh.com aes128-gcm@openssh.com aes256-ctr aes128-ctr' -- "$cur")) ;;
    -[DFiS]) COMPREPLY=($(compgen -f -- "$cur")) ;;
    -[JloPX]) ;;
    *)
        if [[ $cur == -* ]]; then
            COMPREPLY=($(compgen -W '-3 -4 -6 -A -B -C -c -D -F -i -J -l -O -o -P -p -q -R -r -S -s -T -v -X' -- "$cur"))
        else
            COMPREPLY=($(compgen -f -- "$cur"))
        fi ;;
    esac
}

_dory_serve()
{
    local cur=${COMP_WORDS[COMP_CWORD]}
    case ${COMP_WORDS[COMP_CWORD-1]} in
    --host-key | --authorized-keys | --password-file) COMPREPLY=($(compgen -f -- "$cur")) ;;
    --root) COMPREPLY=($(compgen -d -- "$cur")) ;;
    --user | --hash-password) COMPREPLY=($(compgen -u -- "$cur")) ;;
    --listen | --max-sessions | --max-auth-tries | --login-grace-time | --idle-timeout) ;;
    *) COMPREPLY=($(compgen -W '--listen --root --host-key --user --authorized-keys --password-file --read-only --max-sessions
            --max-auth-tries --login-grace-time --idle-timeout --hash-password --help -v' -- "$cur")) ;;
    esac
}

_dory_keygen()
{
    local cur=${COMP_WORDS[COMP_CWORD]}
    case ${COMP_WORDS[COMP_CWORD-1]} in
    -t) COMPREPLY=($(compgen -W 'ed25519 ecdsa rsa' -- "$cur")) ;;
    -m) COMPREPLY=($(compgen -W 'RFC4716 PKCS8 PEM' -- "$cur")) ;;
    -f) COMPREPLY=($(compgen -f -- "$cur")) ;;
    -[bCNP]) ;;
    *) COMPREPLY=($(compgen -W '-b -C -f -l -m -N -p -P -q -t -y' -- "$cur")) ;;
    esac
}

_dory()
{
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W 'scp serve keygen version --help' -- "${COMP_WORDS[1]}"))
        return
    fi
    case ${COMP_WORDS[1]} in
    scp | serve | keygen) "_dory_${COMP_WORDS[1]}" ;;
    esac
}

complete -o filenames -F _dory dory
