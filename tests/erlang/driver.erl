%% Lets the tutorial's messenger be driven by lines on standard input, as messenger-client is, and says in
%% that client's words what an Erlang shell would show by other means.
-module(driver).
-export([start/0]).

start() -> loop().

loop() ->
    case io:get_line("") of
        eof -> halt();
        {error, _} -> halt();
        Line -> command(string:trim(Line)), loop()
    end.

command("/logon " ++ Name) ->
    case messenger:logon(list_to_atom(Name)) of
        true -> spawn(fun watch/0);
        Refused -> io:format("~p~n", [Refused])
    end;
command("/logoff") ->
    case whereis(mess_client) of
        undefined -> io:format("not_logged_on~n");
        Pid ->
            Ref = monitor(process, Pid),
            messenger:logoff(),
            receive {'DOWN', Ref, process, Pid, _} -> io:format("logged_off~n") end
    end;
command("/message " ++ Rest) ->
    [To, Text] = string:split(Rest, " "),
    case messenger:message(list_to_atom(To), Text) of
        ok -> ok;
        Refused -> io:format("~p~n", [Refused])
    end.

%% `exit: REASON` when a signal ends the client; that it gave up waiting it has said itself.
watch() ->
    Ref = monitor(process, whereis(mess_client)),
    receive
        {'DOWN', Ref, process, _, normal} -> ok;
        {'DOWN', Ref, process, _, timeout} -> ok;
        {'DOWN', Ref, process, _, noproc} -> ok;
        {'DOWN', Ref, process, _, Reason} -> io:format("exit: ~p~n", [Reason])
    end.
