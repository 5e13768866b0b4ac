# Completion of ldr for fish. What may follow is asked of ldr itself (`ldr __complete`), so it is what the installed ldr takes.
function __ldr_complete
    set -l words (commandline -opc)
    set -l word (commandline -ct)
    set -l value (string replace -r -- '^--[^=]*=' '' $word)
    set -l front (string sub -l (math (string length -- "$word") - (string length -- "$value")) -- "$word")
    for line in ($words[1] __complete $words[2..-1] "$word" 2>/dev/null)
        switch $line
            case :files :rest\*
                __fish_complete_path "$value" | string replace -r '^' -- "$front"
            case :dirs
                __fish_complete_directories "$value" | string replace -r '^' -- "$front"
            case :programs
                __fish_complete_path "$value"
                __fish_complete_command
            case :pids
                __fish_complete_pids | string replace -r '^' -- "$front"
            case :users
                __fish_complete_users | string replace -r '^' -- "$front"
            case '*'
                echo $line
        end
    end
end
complete -c ldr -f -a '(__ldr_complete)'
